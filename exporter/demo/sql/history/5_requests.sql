-- requests
SELECT setseed(0.5);

INSERT INTO "Metric" (id, type, endpoint, method, duration, status, timestamp)
SELECT
    pg_temp.cuid('request', n),
    'api_request',
    replace(path, ':id', pg_temp.cuid('org', 1 + floor(org * orgs)::bigint)),
    method,
    median_ms * spread,
    CASE
        WHEN luck < 0.0005 THEN 500
        WHEN luck < 0.008 THEN 401
        WHEN luck < 0.015 THEN 404
        WHEN luck < 0.018 THEN 422
        WHEN luck < 0.020 THEN 429
        ELSE success
    END,
    at
FROM (
    SELECT
        row_number() OVER () AS n,
        (start + random() * interval '1 hour')::timestamp(3) AS at,
        floor(random() * 100) AS slot,
        exp(random_normal(0, 0.5)) AS spread,
        random() AS luck,
        random() AS org
    FROM busy_hour CROSS JOIN LATERAL generate_series(1, floor(300 * busy + random())::int)
) AS drawn
JOIN endpoint_pick USING (slot)
CROSS JOIN (SELECT count(*) AS orgs FROM "Org") AS counted;
