"""The stock list of a small chandlery."""

import signal
import sys

from flask import Flask, abort, jsonify

app = Flask(__name__)

STOCK = {"rope": 140, "shackle": 62, "lantern": 9}


@app.get("/health")
def health():
    return jsonify("ok")


@app.get("/stock/<item>")
def stock(item):
    if item not in STOCK:
        abort(404)
    return jsonify(item=item, pieces=STOCK[item])


def stop(_signal, _frame):
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    app.run(host="0.0.0.0", port=8000)
