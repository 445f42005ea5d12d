-- people
ANALYZE hour;
SELECT setseed(0.1);

CREATE TEMP TABLE person ON COMMIT DROP AS
SELECT n, at, source, (n + 2) / 3 AS org, pg_temp.cuid('user', n) AS id, pg_temp.cuid('org', (n + 2) / 3) AS org_id
FROM (
    SELECT row_number() OVER (ORDER BY at) AS n, at, slot
    FROM (
        SELECT (start + random() * interval '1 hour')::timestamp(3) AS at, floor(random() * 100) AS slot
        FROM hour CROSS JOIN LATERAL generate_series(1, floor(1.2 * busy + random())::int)
    ) AS drawn
) AS numbered
JOIN source_pick USING (slot);
ANALYZE person;

-- The hours of messages, uploads and requests; only who has signed up before an hour begins is active in it.
CREATE TEMP TABLE busy_hour ON COMMIT DROP AS
SELECT start, busy, (SELECT count(*) FROM person WHERE at < start) AS users FROM hour WHERE days_ago <= 30;
ANALYZE busy_hour;

INSERT INTO "Org" (id, name, "createdAt") SELECT org_id, 'Organisation ' || org, at FROM person WHERE n % 3 = 1;

INSERT INTO "User" (id, email, name, "createdAt", "updatedAt", "orgId")
SELECT id, 'user' || n || '@example.com', 'User ' || n, at, at, org_id FROM person;

INSERT INTO "BusinessEvent" (id, "eventType", data, timestamp)
SELECT pg_temp.cuid('user_signup', n), 'user_signup', json_build_object('userId', id, 'source', source), at FROM person;
