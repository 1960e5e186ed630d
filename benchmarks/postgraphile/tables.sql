-- What PostGraphile is told of the tables, and the numbers of a series as a function on meters.
-- The buckets are read once a meter, as an expert in SQL would have it.

COMMENT ON TABLE event IS
    E'@foreignKey (organization_id, customer_id) references customer (organization_id, id)|@fieldName customer';

CREATE TYPE usage_point AS (start timestamptz, quantity numeric);
CREATE TYPE usage_series AS (points usage_point[], total numeric);

CREATE FUNCTION meter_quantities(
    meter meter, start_at timestamptz, end_at timestamptz, step text
)
RETURNS usage_series LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT date_trunc(step, bucket) AS start,
               sum(CASE meter.aggregation_function WHEN 'COUNT' THEN count ELSE sum END) AS quantity
        FROM usage_bucket
        WHERE organization_id = meter.organization_id AND meter_id = meter.id
          AND customer_id = '00000000-0000-0000-0000-000000000000'
          AND bucket >= start_at AND bucket < end_at
        GROUP BY 1
    )
    SELECT array_agg((start, coalesce(quantity, 0))::usage_point ORDER BY start),
           coalesce(sum(quantity), 0)
    FROM generate_series(
        start_at, end_at - ('1 ' || step)::interval, ('1 ' || step)::interval
    ) AS start
    LEFT JOIN counted USING (start)
$$;
