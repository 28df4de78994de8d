"""The whole configuration of the run."""

from mammography.reports.blocks import Block, Details, Section
from mammography.reports.remedies import missing_config
from mammography.reports.run_folder import Run


def configuration_section(run: Run) -> Section:
    """Show the dumped config, folded."""
    block: Block
    if run.config is None:
        block = missing_config()
    else:
        lines = len(run.config.splitlines())
        block = Details(f"Config as it ran ({lines} lines)", run.config)
    return Section("configuration", "Configuration", (block,))
