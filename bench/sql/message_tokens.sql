-- metric: bench_message_tokens
-- kind: histogram
-- help: Tokens of a message by provider and model; read every 15 seconds.
-- reads: [message]
-- labels: [provider, model]
-- time: message.created_at
-- settle: 10m
-- buckets: [10, 50, 100, 500, 1000]
SELECT provider, model, tokens AS value FROM message
