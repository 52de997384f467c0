"""What hands do on a page with an explorer, and what can be read off it."""

import contextlib
import functools
import http.server
import threading

from fslviz import explorer

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">
<style>body {{ font-family: sans-serif }} @media (prefers-color-scheme: dark) {{ body {{ background: #14181e;
color: #ced6dd }} }}</style><script defer src="explorer/explorer.js"></script></head>
<body><main><h1>Explorer</h1>{}</main></body></html>"""
NAMES = {"contrastive": "Contrastive", "triplet": "Triplet", "cosface": "CosFace"}
ALL = explorer.mount(["contrastive", "triplet", "softmax", "cosface"], explorer.PARTS)


def canvas(page, loss):
    return page.get_by_role("application", name=f"{loss} space")


# Timers that wait for quiet (half a second or more) stand still until a test calls settle: how long a machine takes
# between two keys tells nothing.
QUIET = """{ const [set, clear] = [setTimeout, clearTimeout], held = new Map();
window.setTimeout = (f, ms = 0, ...rest) => { if (ms < 500) return set(f, ms, ...rest);
const id = -1 - Math.floor(1e9 * Math.random()); held.set(id, f); return id; };
window.clearTimeout = (id) => held.delete(id) || clear(id);
window.settle = () => { const due = [...held.values()]; held.clear(); due.forEach((f) => f()); }; }"""


def link(page):
    """The page's name and what follows, once the address holds all that was done."""
    page.wait_for_function(
        """[...document.querySelectorAll('.fslviz-explorer')].every(({ explorer }) =>
        explorer.address.link() === location.href)"""
    )
    return page.url.rsplit("/", 1)[1]


def picture(page, loss):
    """The pixels of a space, in view and once nothing moves any more."""
    canvas(page, loss).scroll_into_view_if_needed()
    page.wait_for_function(
        """name => { const e = [...document.querySelectorAll('.fslviz-explorer')].map((root) => root.explorer)
        .find((e) => e.state.losses.includes(name)), panel = e.panels.get(name);
        return e.renderLoop.waiting === 0 && panel.inSight && panel.painter.side > 0; }""",
        arg=loss.lower().replace(" of six digits", "-six"),
    )
    return canvas(page, loss).evaluate(
        "c => [...c.parentElement.querySelectorAll('canvas')].map((l) => l.toDataURL()).join()"
    )


def figures(page, loss):
    return page.get_by_role("region", name=f"{loss} space").locator("p.fx-figures").inner_text()


def strip(page, loss):
    return page.get_by_role("region", name=f"{loss} space").locator(".fx-strip").get_attribute("aria-label")


def pixel_of(page, loss, digit):
    """Where on the screen a digit lies."""
    picture(page, NAMES[loss])
    return page.evaluate(
        """([loss, digit]) => {
        const { space, painter } = document.querySelector('.fslviz-explorer').explorer.panels.get(loss);
        const box = painter.over.getBoundingClientRect(), [x, y] = painter.toPixel(space.place(digit));
        return [box.left + x / painter.side * box.width, box.top + y / painter.side * box.height];
    }""",
        [loss, digit],
    )


def lit(page):
    return page.evaluate("document.querySelector('.fslviz-explorer').explorer.loader.selected?.size ?? 0")


def strips(page, start):
    """Wait until the images under each space are told by words that begin so."""
    page.wait_for_function(
        "start => [...document.querySelectorAll('.fx-strip')].every((s) => s.ariaLabel?.startsWith(start))", arg=start
    )


def stroke(page, points):
    pad = page.get_by_role("application", name="Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]
ONE = [(0.5, 0.15), (0.48, 0.85)]
STAR = [(0.5, 0.1), (0.2, 0.9), (0.95, 0.35), (0.05, 0.35), (0.8, 0.9), (0.5, 0.1)]


def touch(page, *ways):
    """Fingers on the screen, each along its way at once."""
    hand = page.context.new_cdp_session(page)
    for i, places in enumerate(zip(*ways, strict=True)):
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        kind = "touchMove" if i else "touchStart"
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


# What is pressed twice, in one go and at times that are told: how long a machine takes between is no matter.
TWICE = """([x, y, apart]) => { const over = document.elementFromPoint(x, y), from = performance.now();
    for (const at of [from, from + apart]) for (const kind of ['pointerdown', 'pointerup']) {
    const event = new PointerEvent(kind, { clientX: x, clientY: y, pointerId: 1, isPrimary: true, button: 0,
    buttons: kind === 'pointerdown' ? 1 : 0, pointerType: 'mouse', bubbles: true });
    Object.defineProperty(event, 'timeStamp', { value: at }); over.dispatchEvent(event); } }"""


def pressed_twice(page, at, apart):
    """So many milliseconds apart."""
    page.evaluate(TWICE, [*at, apart])


def pad_at(page, x, y):
    pad = page.get_by_role("application", name="Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def frame(page):
    """Let a whole frame pass, and more where the squares take more."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function(
        "[...document.querySelectorAll('.fslviz-explorer')].every((root) => root.explorer.renderLoop.waiting === 0)"
    )


def settled(page):
    frame(page)
    return strip(page, "Triplet")


@contextlib.contextmanager
def serving(folder):
    """The address at which a folder is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
