-- # What no clock can have measured is left out: a duration below zero, NaN or Infinity would spoil the sum for good.
-- metric: chatterfy_http_request_duration_seconds
-- kind: histogram
-- help: How long the API took to answer, by endpoint and method, from its request log; read every 15 seconds.
-- reads: [api_request]
-- labels: [endpoint, method]
-- time: api_request.created_at
-- buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30]
-- cap: 100
-- normalise: {endpoint: path}
SELECT endpoint, method, duration / 1000.0 AS value
FROM api_request
WHERE duration::float8 BETWEEN 0 AND 1e12
