-- uploads
SELECT setseed(0.4);

INSERT INTO "BusinessEvent" (id, "eventType", data, timestamp)
SELECT
    pg_temp.cuid('file_upload', drawn.n),
    'file_upload',
    json_build_object('orgId', org_id, 'fileSize', file_size, 'fileType', file_type),
    drawn.at
FROM (
    SELECT
        row_number() OVER () AS n,
        (start + random() * interval '1 hour')::timestamp(3) AS at,
        1 + floor(random() * users) AS person,
        floor(random() * 100) AS slot,
        least(100e6, exp(random_normal(13, 1.5)))::bigint AS file_size
    FROM busy_hour CROSS JOIN LATERAL generate_series(1, floor(20 * busy + random())::int)
) AS drawn
JOIN person ON person.n = drawn.person
JOIN file_pick USING (slot);
