-- A batch reads its leads by their ids, one by one: joined as a whole, all leads were read before the planner had looked at
-- the tables.
SET lock_timeout = '5s';

CREATE OR REPLACE FUNCTION read_outcomes(outcomes jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('outcome', CASE WHEN v.id IS NULL THEN 'gone' ELSE o.value ->> 'outcome' END,
                                               'stored', to_jsonb(v)) ORDER BY o.place), '[]')
  FROM jsonb_array_elements(outcomes) WITH ORDINALITY AS o(value, place)
  LEFT JOIN LATERAL (SELECT * FROM lead_view v WHERE v.id = (o.value ->> 'id')::uuid LIMIT 1) AS v ON true
$$;
