"""Firefox, driven without a driver: it speaks WebDriver BiDi (W3C) over a socket by itself."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import websocket

QUIET = {
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox:
    """One window. ``prefs`` are those of about:config. ``wrong`` holds what its console has complained of."""

    def __init__(self, width=1280, height=900, **prefs):
        self.profile = tempfile.mkdtemp()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in {**QUIET, **prefs}.items()]
        (Path(self.profile) / "user.js").write_text("\n".join(lines))
        command = [shutil.which("firefox-esr"), "--headless", "--no-remote", "--profile", self.profile]
        self.process = subprocess.Popen(
            [*command, "--remote-debugging-port=0", "about:blank"],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": self.profile, "MOZ_HEADLESS_WIDTH": str(width)},
        )
        for line in self.process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                break
        self.socket = websocket.create_connection(f"{found[1]}/session", suppress_origin=True, timeout=60)
        self.count, self.wrong = 0, []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        self.context = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        self.ask("browsingContext.setViewport", context=self.context, viewport={"width": width, "height": height})

    def ask(self, method, **params):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            told = json.loads(self.socket.recv())
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.wrong.append(told["params"]["text"])
            if told.get("id") == self.count:
                if told["type"] == "error":
                    raise RuntimeError(f"{method}: {told['message']}")
                return told["result"]

    def goto(self, url):
        self.ask("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression):
        """The value of a JavaScript expression, awaited if it is a promise."""
        text = f"Promise.resolve({expression}).then((v) => JSON.stringify(v ?? null))"
        target = {"context": self.context}
        told = self.ask("script.evaluate", expression=text, target=target, awaitPromise=True)
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def wait(self, expression, seconds=120):
        until = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > until:
                raise TimeoutError(expression)
            time.sleep(0.05)

    def box(self, selector):
        """Left, top, width and height of an element, brought into view."""
        return self.evaluate(
            f"""((e) => {{ e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
            const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; }})
            (document.querySelector({json.dumps(selector)}))"""
        )

    def drag(self, *points, kind="mouse", button=0):
        """Press at the first point, go over the others, let go at the last."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 16} for x, y in points]
        down, up = ({"type": f"pointer{w}", "button": button} for w in ("Down", "Up"))
        actions = [moves[0], down, *moves[1:], up]
        hand = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}
        self.ask("input.performActions", context=self.context, actions=[hand])

    def move(self, x, y):
        at = {"type": "pointerMove", "x": round(x), "y": round(y)}
        hand = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [at]}
        self.ask("input.performActions", context=self.context, actions=[hand])

    def keys(self, *names):
        typed = [{"type": f"key{w}", "value": name} for name in names for w in ("Down", "Up")]
        self.ask(
            "input.performActions", context=self.context, actions=[{"type": "key", "id": "keys", "actions": typed}]
        )

    def close(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
