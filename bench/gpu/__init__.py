"""The epoch program as XLA compiles it for a GPU, known without one."""

EXAMPLES, VALIDATION = 40_000, 10_000  # those of CIFAR-10
BATCH_SIZE, NUM_CLASSES = 64, 10
