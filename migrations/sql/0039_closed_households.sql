-- As in 0018, and: a visit to a household that was closed before it was recorded is flagged, and somebody who has lived
-- there and lives elsewhere now may be spoken of, as at a knock.
CREATE OR REPLACE FUNCTION care_record_visits(
    p_communities bpchar[], p_versions bigint[], p_actors uuid[], p_actor_names text[], p_devices uuid[],
    p_are_desks boolean[], p_visits jsonb
) RETURNS TABLE (group_no int, visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_groups int[];
    v_ids uuid[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
    v_is_merged boolean;
BEGIN
    SELECT array_agg(j.g ORDER BY n), array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag, j.closed) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n),
        bool_or(j.is_merged)
    INTO v_groups, v_ids, v_areas, v_reasons, v_refused, v_is_merged
    FROM (
        SELECT v.n, v.g, v.id, place.area_id,
            place.is_merged OR (r.merged_into_id IS NOT NULL AND v.given_resident_id IS NULL) AS is_merged,
            CASE
                WHEN place.household_id IS NULL THEN 'household_not_found'
                WHEN v.resident_id IS NOT NULL AND r.id IS NULL THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN NOT p_are_desks[v.g] AND place.holder_id IS DISTINCT FROM p_actors[v.g] THEN nullif(
                    assignment_flag(p_communities[v.g], p_actors[v.g], place.area_id, place.holder_id, v.recorded_at),
                    '')
            END AS flag,
            CASE WHEN v.recorded_at > place.closed_at THEN 'household_closed' END AS closed
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, given_household_id uuid, given_resident_id uuid,
            recorded_at timestamptz
        )) WITH ORDINALITY AS v(
            g, id, household_id, resident_id, given_household_id, given_resident_id, recorded_at, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id,
                h.merged_into_id IS NOT NULL AS is_merged,
                CASE WHEN h.is_closed AND h.merged_into_id IS NULL THEN h.updated_at END AS closed_at
            FROM household h
            JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
            LEFT JOIN responsibility_area a
                ON a.community_code = h.community_code AND a.id = d.responsibility_area_id
            WHERE h.community_code = p_communities[v.g] AND h.id = v.household_id
            OFFSET 0
        ) place ON true
        CROSS JOIN LATERAL (SELECT coalesce(v.given_resident_id, v.resident_id) AS id OFFSET 0) w
        LEFT JOIN LATERAL (
            SELECT m.id, m.merged_into_id FROM resident m
            WHERE m.community_code = p_communities[v.g] AND m.id = w.id
                AND (m.household_id IN (v.household_id, v.given_household_id) OR EXISTS (
                    SELECT FROM residence l
                    WHERE l.community_code = m.community_code AND l.resident_id = m.id
                        AND l.household_id IN (v.household_id, v.given_household_id) AND l.kind = 'lives_here'))
            OFFSET 0
        ) r ON true
    ) j;

    IF v_is_merged THEN
        RETURN QUERY SELECT * FROM care_record_visits(
            p_communities, p_versions, p_actors, p_actor_names, p_devices, p_are_desks,
            care_put_right(p_communities, p_visits));
        RETURN;
    END IF;

    INSERT INTO care_visit (
        community_code, id, household_id, resident_id, given_household_id, given_resident_id, condition, needs,
        note_sealed, next_on, actor_id, actor_name,
        device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_communities[v.g], v.id, v.household_id, v.resident_id, v.given_household_id, v.given_resident_id,
        v.condition, coalesce(v.needs, '{}'),
        decode(v.note, 'base64'), v.next_on, p_actors[v.g], p_actor_names[v.g], p_devices[v.g], v.recorded_at, now(),
        v.reason, v.delete_by, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, given_household_id uuid, given_resident_id uuid,
            condition text, needs text[], note text, next_on date, recorded_at timestamptz, delete_by date),
        unnest(v_reasons), unnest(v_refused)
    ) AS v(
        g, id, household_id, resident_id, given_household_id, given_resident_id, condition, needs, note, next_on,
        recorded_at, delete_by, reason, refused)
    WHERE NOT v.refused
    ON CONFLICT DO NOTHING;

    INSERT INTO care_plan AS p (
        community_code, household_id, last_visit_id, resident_id, condition, needs, last_at, next_on, version)
    SELECT DISTINCT ON (v.g, v.household_id)
        p_communities[v.g], v.household_id, v.id, v.resident_id, v.condition, coalesce(v.needs, '{}'), v.recorded_at,
        v.next_on, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, condition text, needs text[], next_on date,
            recorded_at timestamptz),
        unnest(v_refused)
    ) AS v(g, id, household_id, resident_id, condition, needs, next_on, recorded_at, refused)
    WHERE NOT v.refused
    ORDER BY v.g, v.household_id, v.recorded_at DESC, v.id DESC
    ON CONFLICT (community_code, household_id) DO UPDATE SET
        last_visit_id = excluded.last_visit_id, resident_id = excluded.resident_id, condition = excluded.condition,
        needs = excluded.needs, last_at = excluded.last_at, next_on = excluded.next_on, version = excluded.version
    WHERE (excluded.last_at, excluded.last_visit_id) > (p.last_at, p.last_visit_id);

    UPDATE responsibility_area a SET version = p_versions[u.g]
    FROM (SELECT DISTINCT w.g, w.area_id FROM unnest(v_groups, v_areas) AS w(g, area_id)) u
    WHERE a.community_code = p_communities[u.g] AND a.id = u.area_id AND a.version < p_versions[u.g];

    RETURN QUERY
    SELECT u.g, u.id,
        CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END, u.reason
    FROM unnest(v_groups, v_ids, v_refused, v_reasons) AS u(g, id, refused, reason);
END
$$;
