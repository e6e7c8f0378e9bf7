"""Tells the tides of a harbour that does not exist."""

import signal
import sys

from flask import Flask, jsonify

app = Flask(__name__)

TIDES = [
    {"at": "04:12", "tide": "high"},
    {"at": "10:31", "tide": "low"},
    {"at": "16:40", "tide": "high"},
    {"at": "22:55", "tide": "low"},
]


@app.get("/tides")
def tides():
    return jsonify(harbour="Port Example", tides=TIDES)


def stop(_signal, _frame):
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    app.run(host="0.0.0.0", port=8000)
