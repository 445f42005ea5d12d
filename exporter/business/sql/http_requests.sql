-- metric: chatterfy_http_requests_total
-- kind: counter
-- help: Requests in the API's log by endpoint, method and status code; read every 15 seconds.
-- reads: [api_request]
-- labels: [endpoint, method, status]
-- time: api_request.created_at
-- cap: 500
-- normalise: {endpoint: path}
SELECT endpoint, method, status::text AS status, count(*) AS value
FROM api_request
GROUP BY endpoint, method, status
