-- # Messages are read once, for the longest window: what counts is each user's last one.
-- metric: chatterfy_active_orgs
-- help: Organisations whose users wrote a message within the last 1, 7 and 30 days; read every 5 minutes.
-- reads: [message, app_user]
-- labels: [window]
-- every: 5m
-- timeout: 1m
-- fill: {window: [1d, 7d, 30d]}
SELECT span.name AS "window", count(DISTINCT app_user.org_id) AS value
FROM (VALUES ('1d', interval '1 day'), ('7d', interval '7 days'), ('30d', interval '30 days')) AS span (name, length)
JOIN (
    SELECT user_id, max(created_at) AS last_at
    FROM message
    WHERE created_at >= now() - interval '30 days'
    GROUP BY user_id
) AS writer ON writer.last_at >= now() - span.length
JOIN app_user ON app_user.id = writer.user_id
GROUP BY 1
