"""`python -m vecevo` is the command `vecevo`."""

from vecevo.run import main

main()
