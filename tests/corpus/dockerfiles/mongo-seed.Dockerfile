FROM mongo:6
COPY seed.json /seed.json
CMD mongoimport --host db --db app --collection items --type json --file /seed.json --jsonArray
