"""The page in a real browser: it moves, fits and is quiet."""

import re
from html import unescape

import pytest

from browser import opened
from invented_evidence import write_invented
from mammography.functional.proportions import proportion
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.write import write_evidence
from mammography.terms import Level

TABLES = ("live-rates", "live-counts", "live-cost", "live-groups")
ROWS = """return Array.from(document.querySelectorAll('#' + arguments[0] + ' tbody tr'),
          row => Array.from(row.children, cell => cell.textContent.trim()))"""

CAPTION = "return document.querySelector('#' + arguments[0] + ' caption').textContent.trim()"


def rows(driver, name):
    return driver.execute_script(ROWS, name)


@pytest.fixture(scope="module")
def browser(folder, tmp_path_factory):
    with opened(folder / "evidence.html", tmp_path_factory.mktemp("profile")) as driver:
        yield driver
        assert [line for line in driver.get_log("browser") if line["level"] != "INFO"] == []


@pytest.fixture(autouse=True)
def at_rest(browser):
    browser.execute_script("evidence.reset()")


def without_script(page, name):
    """The rows of a table as Python wrote them."""
    body = re.search(rf'<table id="{name}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[1]
    found = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [unescape(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in found
    ]


def test_the_script_writes_what_python_wrote(browser, page):
    for name in TABLES:
        assert rows(browser, name) == without_script(page, name)
        caption = browser.execute_script(CAPTION, name)
        assert f"<caption><span>{caption}</span></caption>" in page


def test_the_decisions_of_another_model_can_be_shown(browser, study):
    browser.execute_script(
        """const shown = document.getElementById('shown');
        shown.value = '1';
        shown.dispatchEvent(new Event('change'))"""
    )
    called = (study.models[1].scores >= 0.2) & (study.labels == 1)
    assert rows(browser, "live-groups")[0][3] == str(int(called.sum()))
    assert browser.execute_script(CAPTION, "live-groups").startswith("Decisions of model_b")
    browser.execute_script("evidence.state.shown = 0")


def test_wilson_intervals_are_those_of_python(browser):
    pairs = [(0, 5), (5, 5), (1, 16), (3, 7), (197, 226), (0, 100_000), (99_999, 100_000)]
    for found, of in pairs:
        told = browser.execute_script("return evidence.wilson(...arguments)", found, of)
        assert told == pytest.approx(proportion(found, of).interval, abs=1e-14)


def test_numbers_are_rounded_as_in_python(browser):
    values = [0.0625, 0.1875, 0.0005, 0.9995, 12.25, 12.35, 1 / 3, 0.5, 2.5, -0.0625]
    for value in values:
        for digits in (0, 1, 3, 4):
            told = browser.execute_script("return evidence.fixed(...arguments)", value, digits)
            assert told == f"{value:.{digits}f}", (value, digits)


def test_the_slider_moves_every_table_and_the_marks(browser, study):
    before = {name: rows(browser, name) for name in TABLES}
    marks = (
        "return Array.from(document.querySelectorAll('.live circle'), c => c.getAttribute('cx'))"
    )
    marked = browser.execute_script(marks)
    browser.execute_script(
        """const slider = document.getElementById('slider');
        slider.value = Number(slider.max) - 20;
        slider.dispatchEvent(new Event('input'))"""
    )
    grid = browser.execute_script("return evidence.DATA.grid")
    threshold = grid[len(grid) - 1 - 20]
    called = [model.scores >= threshold for model in study.models]
    for number, row in enumerate(rows(browser, "live-counts")):
        tp = int((called[number] & (study.labels == 1)).sum())
        fp = int((called[number] & (study.labels == 0)).sum())
        assert row[1:] == [
            str(n) for n in (tp, study.positives - tp, fp, study.n - study.positives - fp)
        ]
    assert all(rows(browser, name) != before[name] for name in TABLES)
    assert browser.execute_script(marks) != marked
    browser.execute_script("document.getElementById('reset').click()")
    assert {name: rows(browser, name) for name in TABLES} == before


def test_models_may_be_compared_at_the_same_number_of_recalls(browser):
    browser.execute_script(
        """const link = document.getElementById('link');
        link.value = 'same number of recalls';
        link.dispatchEvent(new Event('change'))"""
    )
    counts = [
        [int(cell.replace(",", "")) for cell in row[1:]] for row in rows(browser, "live-counts")
    ]
    recalled = [tp + fp for tp, _, fp, _ in counts]
    assert 0 <= recalled[0] - recalled[1] <= 2
    assert recalled[0] > 0


def test_another_prevalence_moves_the_cost_alone(browser):
    rates = rows(browser, "live-rates")
    browser.execute_script(
        """const box = document.getElementById('prevalence-percent');
        box.value = '0.6';
        box.dispatchEvent(new Event('change'))"""
    )
    for row in rows(browser, "live-cost"):
        assert float(row[2]) + float(row[3]) == pytest.approx(6, abs=0.11)
    assert rows(browser, "live-rates") == rates
    assert "0.60 %" in browser.execute_script(CAPTION, "live-cost")
    browser.execute_script("evidence.state.prevalence = evidence.DATA.prevalence")


def test_a_typed_threshold_counts_as_the_next_one_on_the_grid(browser, study):
    browser.execute_script(
        """const box = document.getElementById('cut');
        box.value = '0.5';
        box.dispatchEvent(new Event('change'))"""
    )
    tp = int(((study.models[0].scores >= 0.5) & (study.labels == 1)).sum())
    assert rows(browser, "live-counts")[0][1] == str(tp)


@pytest.mark.parametrize("chart", ["chart-roc", "chart-pr", "chart-decision", "chart-forest-0"])
def test_a_pointer_on_a_figure_reads_it_out(browser, chart):
    text = browser.execute_script(
        """const svg = document.querySelector('#' + arguments[0] + ' svg');
        svg.scrollIntoView();
        const box = svg.getBoundingClientRect();
        svg.dispatchEvent(new PointerEvent('pointerenter'));
        for (let x = 0.2; x < 0.9; x += 0.02) for (let y = 0.1; y < 0.8; y += 0.05) {
          svg.dispatchEvent(new PointerEvent('pointermove',
            {clientX: box.left + x * box.width, clientY: box.top + y * box.height}));
          const tip = document.querySelector('#' + arguments[0] + ' .tip');
          if (!tip.hidden) return tip.textContent;
        }""",
        chart,
    )
    assert any(word in text for word in ("threshold", "AUC"))


def test_a_click_on_the_roc_sets_the_threshold(browser):
    moved = browser.execute_script(
        """const svg = document.querySelector('#chart-roc svg');
        const mark = svg.querySelector('.live circle');
        const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
        const at = {clientX: box.left + scale * (Number(mark.getAttribute('cx')) - 12),
                    clientY: box.top + scale * (Number(mark.getAttribute('cy')) + 12)};
        svg.dispatchEvent(new PointerEvent('pointerenter'));
        svg.dispatchEvent(new PointerEvent('pointermove', at));
        const before = document.getElementById('slider').value;
        svg.dispatchEvent(new MouseEvent('click', at));
        return [before, document.getElementById('slider').value]"""
    )
    assert moved[0] != moved[1]


def test_maps_can_be_taken_away(browser):
    shown = "return getComputedStyle(document.querySelector('.overlay')).display"
    assert browser.execute_script(shown) != "none"
    browser.execute_script("document.getElementById('overlays').click()")
    assert browser.execute_script(shown) == "none"
    browser.execute_script("document.getElementById('overlays').click()")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(folder, tmp_path, width):
    with opened(folder / "evidence.html", tmp_path, width) as driver:
        found = driver.execute_script(
            """const wide = [];
            for (const element of document.querySelectorAll('body *')) {
              const box = element.getBoundingClientRect();
              if (box.width && box.right > innerWidth + 1 && !element.closest('.scroll')
                  && !element.closest('svg') && getComputedStyle(element).position !== 'absolute')
                wide.push(element.tagName + '.' + element.className);
            }
            return [document.documentElement.scrollWidth, innerWidth, wide]"""
        )
        assert found[0] <= found[1] == width
        assert found[2] == []
        assert driver.get_log("browser") == []


def test_texts_have_the_contrast_that_wcag_asks_for(browser):
    """Level AA: 4.5 for text, on the background that lies behind it."""
    worst = browser.execute_script(
        """const light = c => { const [r, g, b] = c.map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const read = text => (text.match(/[\\d.]+/g) || []).map(Number);
        let worst = [99, ''];
        for (const element of document.querySelectorAll('body *:not(svg *):not(script)')) {
          if (!Array.from(element.childNodes).some(n => n.nodeType === 3 && n.textContent.trim()))
            continue;
          let behind = element, back = [0, 0, 0, 0];
          while (behind && (back.length === 4 && back[3] === 0)) {
            back = read(getComputedStyle(behind).backgroundColor);
            behind = behind.parentElement;
          }
          if (back.length === 4 && back[3] === 0) back = [255, 255, 255];
          const [a, b] = [light(read(getComputedStyle(element).color).slice(0, 3)),
                          light(back.slice(0, 3))].sort((x, y) => y - x);
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 80)];
        }
        return worst"""
    )
    assert worst[0] >= 4.5, worst


@pytest.mark.slow
def test_a_page_of_a_hundred_thousand_cases_is_small_and_opens_at_once(tmp_path, capsys):
    dumps = write_invented(tmp_path, patients=25_000, noises=(0.6,)).dumps
    options = EvidenceOptions(level=Level.IMAGE, repeats=100, thresholds=(0.1,))
    page = write_evidence(dumps, tmp_path / "out", options)
    assert page.stat().st_size < 1e6
    with opened(page, tmp_path / "profile") as driver:
        assert driver.execute_script("return document.body.dataset.ready") == "yes"
        assert rows(driver, "live-groups")[0][1] == "100,000"
        timing = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
        took = driver.execute_script(timing)
    with capsys.disabled():
        print(f" loaded in {took:.0f} ms, {page.stat().st_size / 1e3:.0f} kB")  # noqa: T201
