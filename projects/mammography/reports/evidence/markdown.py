"""The evidence as Markdown: text and tables; the figures stay on the page."""

from collections.abc import Iterable, Iterator, Sequence

from mammography.reports.blocks import Block, Facts, Listing, Part, Row, Table, Text, Tiles, Tone
from mammography.reports.evidence.chapter import Chapter
from mammography.reports.text_tables import to_markdown


def chapters_to_markdown(title: str, chapters: Sequence[Chapter]) -> str:
    """Return the text and the tables of all parts."""
    parts = [f"# {title}", "The figures are on the page beside this file."]
    for chapter in chapters:
        parts += [f"## {chapter.title}", *_texts(chapter.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _texts(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Row | Part):
            yield f"### {block.title}" if isinstance(block, Part) else ""
            yield from _texts(block.blocks)
        else:
            yield _text(block)


def _text(block: Block) -> str:
    if isinstance(block, Text):
        return f"> **Caution.** {block.text}" if block.tone is Tone.WARNING else block.text
    if isinstance(block, Table):
        return to_markdown(block)
    if isinstance(block, Facts):
        return "\n".join(f"- {name}: {value}" for name, value in block.rows)
    if isinstance(block, Tiles):
        lines = [f"- {one.label}: {one.value} ({one.note})" for one in block.tiles]
        return "\n".join([f"**{block.title}**", "", *lines])
    if isinstance(block, Listing):
        return "\n".join(f"- {item}" for item in block.items)
    return ""
