-- metric: chatterfy_users
-- help: Users; read every minute.
-- reads: [app_user]
-- every: 1m
SELECT count(*) AS value FROM app_user
