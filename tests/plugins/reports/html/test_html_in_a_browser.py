"""Pages in a real browser: they draw, their controls work, nothing is logged, nothing escapes."""

import shutil
import time

import pytest

from cosearch.cli import main
from cosearch.reporting.reporter import write_whole
from cosearch_plugins.reports.html.study_page import study_page

webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is driven by selenium")

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="needs Chromium and its driver"
)


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def study_file(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "study.html"
    write_whole(path, study_page(study, ["cosearch resume 'x'"]))
    return path


@pytest.fixture(scope="module")
def compare_file(store_path, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "compare.html"
    words = ["compare", "gemm:M=64,N=64,K=64", "-H", "systolic", "-s", "random"]
    words += ["-s", "evolutionary:population=4", "--seeds", "3", "--trials", "5"]
    assert main([*words, "--workers", "1", "--store", str(store_path), "--report", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def several_file(store_path, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "several.html"
    words = ["compare", "gemm:M=64,N=64,K=64", "-H", "systolic", "-s", "random", "-s", "nsga2"]
    words += ["-o", "energy,area", "--tune", "2", "--tune-on", "gemm:M=32,N=32,K=32"]
    words += ["--seeds", "2", "--trials", "5", "--workers", "1", "--store", str(store_path)]
    assert main([*words, "--report", str(path)]) == 0
    return path


@pytest.fixture(scope="module", params=["study", "compare", "several"])
def opened(request, browser):
    path = request.getfixturevalue(f"{request.param}_file")
    browser.get_log("browser")
    browser.get(path.as_uri())
    wait_until(browser, "document.readyState == 'complete'")
    return browser


def wait_until(browser, condition):
    for _ in range(100):
        if browser.execute_script(f"return {condition}"):
            return
        time.sleep(0.05)
    raise AssertionError(condition)


def test_every_chart_is_drawn_and_nothing_is_logged(opened):
    charts = opened.find_elements("class name", "js-plotly-plot")
    assert len(charts) >= 5
    for chart in charts:
        assert chart.find_elements("css selector", ".main-svg")
    logged = opened.get_log("browser")
    # without a GPU, WebGL (parallel coordinates) warns of its software fallback
    assert [e for e in logged if (e["source"], e["level"]) != ("rendering", "WARNING")] == []


def test_no_chart_is_empty(opened):
    empty = opened.execute_script(
        "return [...document.querySelectorAll('.js-plotly-plot')]"
        ".filter(c => !c.querySelector('.point, .points path, .lines path, .parcoords .axis'))"
        ".map(c => c.id)"
    )
    assert empty == []


def test_a_page_with_several_objectives_shows_fronts_and_tuning(browser, several_file):
    browser.get(several_file.as_uri())
    headings = [h.text for h in browser.find_elements("tag name", "h2")]
    assert "Pareto fronts" in headings
    assert "Tuned first" in headings
    assert browser.find_elements("id", "pareto0-01")


def test_names_stay_text(opened):
    assert opened.execute_script("return window.broken") is None


def test_the_scale_button_switches_the_axis(opened):
    kind = "document.querySelector('.js-plotly-plot')._fullLayout.yaxis.type"
    assert opened.execute_script(f"return {kind}") == "log"
    opened.execute_script(
        "const all = document.querySelectorAll('.js-plotly-plot .updatemenu-button');"
        "all[1].dispatchEvent(new MouseEvent('click', {bubbles: true}));"
    )
    wait_until(opened, f"{kind} == 'linear'")


def test_a_mapping_opens_on_a_click(browser, study_file):
    browser.get(study_file.as_uri())
    details = browser.find_element("tag name", "details")
    assert not details.find_element("tag name", "svg").is_displayed()
    details.find_element("tag name", "summary").click()
    assert details.find_element("tag name", "svg").is_displayed()


@pytest.mark.parametrize("width", [1400, 390])
def test_no_page_is_wider_than_the_window(opened, width):
    opened.set_window_size(width, 900)
    wait_until(
        opened, "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def emulate(browser, *, scheme, width=None):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    if width is None:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        return
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


HIDDEN_CELLS = """
return [...document.querySelectorAll('td')].filter(cell => cell.textContent).filter(cell => {
  const box = cell.getBoundingClientRect(), folded = cell.closest('details:not([open])');
  return !folded && (box.width < 1 || box.left < 0 || box.right > innerWidth);
}).map(cell => cell.textContent)
"""

UNNAMED_CELLS = """
return [...document.querySelectorAll('td[data-of]:not([data-of=""])')]
  .filter(cell => cell.textContent)
  .filter(cell => !getComputedStyle(cell, '::before').content.includes(cell.dataset.of))
  .map(cell => cell.textContent)
"""


def test_at_500_pixels_every_cell_of_every_column_is_seen(opened):
    emulate(opened, scheme="light", width=500)
    assert opened.find_elements("tag name", "td")
    assert opened.execute_script(HIDDEN_CELLS) == []
    assert opened.execute_script(UNNAMED_CELLS) == []
    emulate(opened, scheme="light")


BRIGHTNESS = """
const light = c => c.match(/[0-9.]+/g).slice(0, 3)
  .reduce((sum, x, i) => sum + [.2126, .7152, .0722][i] * x / 255, 0);
const page = light(getComputedStyle(document.body).backgroundColor);
const texts = [...document.querySelectorAll('h1, h2, h3, p, a, td, th, summary, svg text')];
const own = t => getComputedStyle(t)[t.tagName == 'text' ? 'fill' : 'color'];
const on = t => t.previousElementSibling && t.previousElementSibling.tagName == 'rect';
return [page, ...texts.filter(t => t.textContent && !on(t))
  .filter(t => !t.closest('.parcoords') && !t.closest('.updatemenu-button') && !t.closest('.bars'))
  .map(t => [t.textContent, Math.abs(light(own(t)) - page)]).filter(([, d]) => d < .3)]
"""


@pytest.mark.parametrize(("scheme", "low", "high"), [("dark", 0.0, 0.15), ("light", 0.9, 1.0)])
def test_text_stands_out_on_dark_and_on_light_pages(opened, scheme, low, high):
    emulate(opened, scheme=scheme)
    for details in opened.find_elements("css selector", "details"):
        opened.execute_script("arguments[0].open = true", details)
    background, *faint = opened.execute_script(BRIGHTNESS)
    assert low <= background <= high
    assert faint == []
    emulate(opened, scheme="light")
