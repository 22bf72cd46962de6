"""The table of test_architecture: what each module may import of the package."""

from tests.arrows_of_training import TRAINING

# A name without a dot stands for a module, or for all modules of a folder.
_TABLE = TRAINING | {
    # words that all speak in
    "errors": "",
    "keys": "errors",
    "results": "errors networks.ensembles networks.network",
    "folders": "errors",
    "extras": "errors",
    # the search tower knows no network
    "space": "errors",
    "objectives": "errors",
    "operators": "errors operators",
    "strategies": "errors keys operators strategies",
    "catalogue": "errors operators strategies",
    "landscapes": "errors operators",
    # data sets know neither
    "datasets.prepared": "errors folders",
    "datasets.columns": "errors",
    "datasets.inputs": "datasets.columns errors",
    "datasets.fitting": "datasets.columns datasets.inputs errors",
    "datasets.alike": "datasets.columns datasets.inputs errors",
    "datasets.labels": "datasets.columns errors",
    "datasets.splitting": "errors",
    "datasets.targets": "datasets.columns errors",
    "datasets.taking": (
        "datasets.columns datasets.labels datasets.splitting datasets.targets errors"
    ),
    "datasets.making": (
        "datasets.alike datasets.columns datasets.fitting datasets.inputs "
        "datasets.labels datasets.splitting datasets.taking datasets.targets "
        "datasets.weighing errors"
    ),
    "datasets.weighing": "datasets.labels errors",
    "datasets.tables": "datasets.weighing errors extras",
    "datasets.bundled": "datasets.targets errors extras",
    "datasets.loading": (
        "datasets.bundled datasets.fitting datasets.making datasets.prepared "
        "datasets.tables datasets.targets errors"
    ),
    # networks that are trained, to use and to keep
    "networks.network": (
        "datasets.alike datasets.columns datasets.inputs datasets.labels "
        "datasets.targets errors training.lanes training.reference"
    ),
    "networks.ensembles": "datasets.labels datasets.targets errors networks.network",
    "networks.saving": (
        "datasets.columns datasets.inputs datasets.targets errors networks.ensembles "
        "networks.network training.lanes.widths training.recipe"
    ),
    # the joint
    "evaluation": (
        "results space training.batches training.recipe training.rungs "
        "training.sessions"
    ),
    # the shell: a run's parts, of which the loop knows no training
    "runs.ledger": "objectives results strategies",
    "runs.loop": "errors objectives results runs.ledger space strategies",
    "runs.ending.voting": (
        "datasets.making datasets.targets errors networks.ensembles networks.network "
        "results runs.files.journal"
    ),
    "runs.files.keeping": "datasets.making networks results",
    "runs.starting": "catalogue errors objectives space strategies",
    "runs.files.journal": "results",
    "runs.configuration": "catalogue space",
    "runs.files.toml": "errors runs.configuration",
    "runs.parsing": "errors runs.configuration runs.files runs.stopping",
    "runs.environment": "errors folders",
    "runs.resolving": (
        "datasets.making errors objectives runs.configuration runs.ending.confirming "
        "runs.ending.voting runs.rungs runs.starting space training.recipe "
        "training.settings"
    ),
    "runs.rungs": (
        "datasets.making errors results runs.ledger training.rungs training.settings"
    ),
    "runs.files.reading": (
        "errors extras results runs.files.queries runs.files.toml runs.resolving space"
    ),
    "runs.files.tables": (
        "errors evaluation results runs.files.reading space training.lanes.metrics"
    ),
    "runs.earlier": (
        "errors keys operators runs.files.queries runs.report.verdict "
        "runs.starting space training.lanes.widths training.recipe"
    ),
    "runs.course": (
        "results runs.ending.confirming runs.files.opening runs.files.store "
        "runs.ledger runs.loop runs.stopping training.sessions"
    ),
    "runs.ending.choosing": (
        "evaluation networks.ensembles results runs.course runs.ending.confirming "
        "runs.ending.voting runs.files.store runs.ledger space strategies "
        "training.programs"
    ),
    "runs.ending.confirming": "errors results",
    "runs.expecting": (
        "datasets.making errors runs.ending.voting runs.ledger space "
        "training.lanes.weights training.lanes.widths training.recipe "
        "training.sessions"
    ),
    "runs.files.identity": "errors",
    "datasets.fingerprints": "datasets.making",
    "runs.files.opening": (
        "datasets.fingerprints datasets.weighing errors results runs.environment "
        "runs.files.identity runs.files.pool runs.files.store space "
        "training.devices training.lanes.metrics training.planning "
        "training.sessions training.settings"
    ),
    "runs.files.pool": (
        "networks.network results runs.files.store training.batches "
        "training.lanes.metrics training.recipe training.sessions"
    ),
    "runs.files.queries": "errors results runs.files.journal",
    "runs.files.store": (
        "errors networks.saving results runs.files.journal runs.files.queries"
    ),
    "runs.landscape": (
        "errors networks.saving results runs.configuration runs.environment "
        "runs.files.tables runs.files.toml runs.recorded runs.report.console "
        "runs.report.summary runs.report.verdict runs.settling"
    ),
    "runs.report.verdict": "errors results",
    "runs.settling": (
        "catalogue errors runs.configuration runs.files.store runs.resolving space "
        "strategies"
    ),
    "runs.stopping": "",
    "runs.budget": (
        "runs.rungs training.forecast training.planning training.sessions "
        "training.settings"
    ),
    "runs.report.several": "results runs.files.reading runs.report.facts",
    "runs.report.parts": "",
    "runs.report.leaving": "runs.files.reading runs.files.store runs.report.page",
    "runs.report.winners": (
        "results runs.files.reading runs.report.facts runs.report.parts "
        "runs.report.verdict"
    ),
    # whole runs, and how they are shown
    "runs.evolve": (
        "datasets errors evaluation keys results runs.budget runs.course "
        "runs.ending.choosing runs.ending.confirming runs.ending.voting "
        "runs.expecting runs.files.opening runs.ledger runs.loop runs.rungs "
        "runs.starting runs.stopping space strategies training.sessions "
        "training.settings training.workers.opening"
    ),
    "runs.hiring": (
        "runs.configuration runs.files.retraining runs.report.verdict runs.resolving "
        "training.sessions training.workers.crew training.workers.members "
        "training.workers.opening"
    ),
    "runs.recorded": (
        "errors evaluation keys results runs.files.tables runs.ledger runs.loop "
        "runs.rungs runs.starting space strategies training.lanes.metrics "
        "training.recipe training.rungs"
    ),
    "runs.report.console": (
        "networks.saving results runs.budget runs.files.queries runs.report.verdict "
        "space training.forecast training.lanes.widths training.recipe"
    ),
    "runs.report.live": (
        "results runs.ledger runs.report.console runs.report.verdict space"
    ),
    "runs.report.summary": (
        "datasets.making results runs.configuration runs.environment "
        "runs.files.journal runs.files.tables space training.devices "
        "training.lanes.metrics training.settings"
    ),
    # pictures and pages about recorded runs
    "runs.report.facts": "errors results runs.files.reading runs.ledger",
    "runs.report.importance": "",
    "runs.report.drawing": "",
    "runs.report.figures": (
        "results runs.files.reading runs.report.drawing runs.report.facts"
    ),
    "runs.report.sizes": (
        "objectives runs.files.reading runs.report.drawing runs.report.facts"
    ),
    "runs.report.genes": (
        "runs.files.reading runs.report.drawing runs.report.facts "
        "runs.report.importance"
    ),
    "runs.report.parallel": (
        "results runs.files.reading runs.report.drawing runs.report.facts"
    ),
    "runs.report.comparison": (
        "runs.files.reading runs.report.drawing runs.report.facts runs.report.sizes"
    ),
    "runs.report.sections": (
        "runs.files.reading runs.report.comparison runs.report.drawing "
        "runs.report.facts runs.report.figures runs.report.genes runs.report.parallel "
        "runs.report.parts runs.report.sizes runs.report.tested "
        "runs.report.timeline runs.report.winners"
    ),
    "runs.report.timeline": (
        "runs.files.reading runs.report.drawing runs.report.verdict "
        "training.workers.answers"
    ),
    "runs.report.tested": (
        "errors runs.files.keeping runs.files.reading runs.report.drawing"
    ),
    "runs.report.page": (
        "errors results runs.files.reading runs.report.console runs.report.drawing "
        "runs.report.facts runs.report.parts runs.report.sections runs.report.winners"
    ),
    "runs.announcing": (
        "datasets.making results runs.budget runs.configuration runs.expecting "
        "runs.files.queries runs.report.console runs.report.verdict runs.resolving "
        "runs.rungs runs.settling space training.devices training.forecast "
        "training.lanes.metrics training.sessions training.settings"
    ),
    "runs.command": (
        "datasets errors networks.saving results runs space training.lanes.metrics "
        "training.programs training.workers.crew"
    ),
    # other packages, which need not be there
    "integrations.optuna": (
        "datasets.loading datasets.making errors extras results runs.evolve "
        "runs.files.reading space training.library training.recipe training.settings"
    ),
    "integrations.sklearn_examples": "datasets errors extras",
    "integrations.sklearn": (
        "datasets.fitting datasets.targets errors extras integrations.sklearn_examples "
        "networks.ensembles results runs.evolve runs.rungs space strategies"
    ),
    "run": "errors runs.command runs.parsing runs.stopping",
    "predict": "datasets errors networks runs.parsing training.lanes.metrics",
    "export": (
        "errors networks.saving results runs.files.reading runs.files.retraining "
        "runs.parsing"
    ),
    "runs.files.retraining": (
        "datasets errors results runs.configuration runs.environment "
        "runs.files.reading runs.parsing runs.resolving training.library"
    ),
    "__main__": "run",
    "report": (
        "errors extras integrations.optuna runs.files.reading runs.parsing "
        "runs.report.page"
    ),
    "__init__": (
        "datasets errors landscapes networks operators results runs space strategies "
        "training"
    ),
}
MAY_IMPORT = {name: set(words.split()) for name, words in _TABLE.items()}
