#!/bin/sh
echo "starting the stock list on port 8000"
python app.py
echo "the stock list has ended"
