-- # A label is a short text without @, as in signups.sql. A size is a number of bytes below 10^15, or text that is one:
-- # anything else adds nothing.
-- metrics:
--   chatterfy_file_uploads_total: {column: files, help: "Files uploaded, by type; read every 15 seconds."}
--   chatterfy_file_upload_bytes_total:
--     {column: bytes, help: "Bytes of files uploaded, by type; read every 15 seconds."}
-- kind: counter
-- reads: [business_event]
-- labels: [file_type]
-- time: business_event.created_at
-- cap: 50
-- fill: {file_type: [other]}
SELECT
    coalesce(
        jsonb_path_query_first(
            data, 'strict $.fileType ? (@ like_regex "^[^@[:cntrl:]]{1,100}$")', silent => true
        ) #>> '{}',
        'other'
    ) AS file_type,
    count(*) AS files,
    coalesce(sum((
        jsonb_path_query_first(
            data,
            'strict $.fileSize ? (
                (@ >= 0 && @ < 1000000000000000) || @ like_regex "^[0-9]{1,15}([.][0-9]{1,9})?$"
            )',
            silent => true
        ) #>> '{}'
    )::numeric), 0) AS bytes
FROM (
    SELECT data FROM business_event WHERE event_type = 'file_upload'
    OFFSET 0  -- so that what is read twice is parsed once
) AS upload
GROUP BY 1
