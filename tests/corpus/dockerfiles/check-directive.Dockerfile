# check=skip=JSONArgsRecommended,StageNameCasing;error=true
FROM alpine:3.20 AS Build
CMD echo hi
