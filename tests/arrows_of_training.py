"""The part of the table of arrows that is the training tower."""

TRAINING = {
    # the training tower knows no genome; what a lane is and computes
    "training.lanes.dropout": "training.lanes.threefry",
    "training.lanes.variants": "training.lanes",
    "training.lanes.networks": (
        "training.lanes.activations training.lanes.dropout training.lanes.variants "
        "training.lanes.widths"
    ),
    "training.lanes.activations": "",
    "training.lanes.augmentation": "",
    "training.lanes.optimizers": "",
    "training.lanes.schedules": "",
    "training.lanes.updates": "training.lanes.optimizers",
    "training.lanes.threefry": "",
    "training.lanes.weights": "",
    "training.lanes.widths": "",
    "training.lanes.metrics": "errors",
    "training.lanes.losses": (
        "training.lanes.dropout training.lanes.metrics training.lanes.networks"
    ),
    "training.lanes.stopping": "training.lanes.losses training.lanes.optimizers",
    "training.recipe": "errors training.lanes",
    "training.variants": "training.lanes training.recipe",
    "training.reference.augmentation": "",
    "training.reference.metrics": "",
    "training.reference.optimizers": "",
    "training.reference": "training.reference.optimizers",
    # what the device does with many
    "training.minibatches": (
        "datasets.making datasets.weighing keys training.lanes training.recipe "
        "training.settings"
    ),
    "training.epochs": "training.lanes training.minibatches",
    "training.programs": (
        "keys training.devices training.epochs training.lanes training.minibatches"
    ),
    # what the host does
    "training.memory": "training.devices",
    "training.devices": "",
    "training.planning": "errors",
    "training.classes": "training.planning",
    "training.forecast": "training.classes training.planning",
    "training.settings": (
        "datasets.making datasets.weighing errors training.devices training.lanes "
        "training.memory"
    ),
    "training.outcomes": "keys training.lanes training.programs",
    "training.cohorts": (
        "keys training.devices training.epochs training.lanes training.minibatches "
        "training.outcomes training.programs"
    ),
    "training.selfcheck": (
        "errors folders keys training.devices training.epochs training.lanes "
        "training.minibatches training.programs training.recipe"
    ),
    "training.sessions": (
        "datasets.making errors keys training.classes training.cohorts "
        "training.devices training.lanes training.memory training.minibatches "
        "training.outcomes training.planning training.programs training.recipe "
        "training.selfcheck training.settings training.variants"
    ),
    "training.scheduling": (
        "errors training.cohorts training.devices training.minibatches "
        "training.outcomes training.planning training.programs training.sessions"
    ),
    "training.batches": (
        "datasets.making keys networks.network results "
        "training.forecast training.lanes training.minibatches training.outcomes "
        "training.planning training.recipe training.scheduling training.sessions "
        "training.variants"
    ),
    "training.rungs": (
        "errors results training.batches training.outcomes training.planning "
        "training.sessions"
    ),
    # the same in processes of their own
    "training.workers.messages": (
        "datasets.making training.cohorts training.devices training.outcomes "
        "training.planning training.sessions training.settings"
    ),
    "training.workers.worker": (
        "datasets.fingerprints datasets.making errors training.batches "
        "training.devices training.planning training.scheduling training.sessions "
        "training.workers.messages"
    ),
    "training.workers.cluster": "errors extras training.memory",
    "training.workers.members": (
        "errors training.cohorts training.workers.cluster training.workers.messages "
        "training.workers.worker"
    ),
    "training.workers.answers": (
        "errors results training.cohorts training.devices training.workers.members "
        "training.workers.messages training.workers.worker"
    ),
    "training.workers.plans": (
        "training.outcomes training.planning training.scheduling training.sessions "
        "training.workers.messages"
    ),
    "training.workers.crew": (
        "datasets.fingerprints datasets.making errors results training.cohorts "
        "training.devices training.outcomes training.planning training.sessions "
        "training.workers"
    ),
    "training.workers.opening": (
        "datasets.making errors training.devices training.settings "
        "training.workers.cluster training.workers.crew"
    ),
    "training.library": (
        "datasets.loading datasets.making errors results training.recipe "
        "training.rungs training.sessions training.settings training.workers.opening"
    ),
}
