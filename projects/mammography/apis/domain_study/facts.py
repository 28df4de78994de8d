"""What the page of a study tells beside its numbers."""

from mammography.apis.domain_study.folder import StudyFolder
from mammography.apis.domain_study.plan import Training
from mammography.apis.domain_study.study import StatisticsHook, Study
from mammography.reports.domain_study.page import StudyFacts


def study_facts(study: Study, plan: list[Training], folder: StudyFolder) -> StudyFacts:
    """Return what the page tells of a study beside its numbers."""
    return StudyFacts(
        name=study.name,
        outcome=study.outcome,
        models={str(training): _describe_model(training, folder) for training in plan},
        statistics={
            name: "; ".join(_describe_hook(hook) for hook in hooks)
            or "the running averages of training, stored in the checkpoint"
            for name, hooks in study.statistics.items()
        },
        config=study.text,
    )


def _describe_model(training: Training, folder: StudyFolder) -> str:
    model = training.model
    parts = [model.config.name]
    parts += [f"{name}={value!r}" for name, value in model.options.items()]
    parts += [f"adapted to {model.adapt_to}"] if model.adapt_to else []
    parts += [f"starts from {training.start}"] if training.start else []
    if weights := folder.find_weights(training):
        own = weights.is_relative_to(folder.root)
        parts.append(f"weights {weights.relative_to(folder.root) if own else weights.name}")
    return ", ".join(parts)


def _describe_hook(told: StatisticsHook) -> str:
    parts = [f"{name}={value!r}" for name, value in told.hook.items()]
    parts += [f"images={told.images!r}"]
    parts += [f"{name}={value!r}" for name, value in told.options.items()]
    return ", ".join(parts)
