-- People and households that were registered twice are merged and can be parted again. A row that was merged away
-- stays, closed, and names the one that stands for it; visits are put to that one and keep the id they were given for.

CREATE FUNCTION household_root(p_community bpchar, p_id uuid) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_next uuid;
BEGIN
    LOOP
        SELECT merged_into_id INTO v_next FROM household WHERE community_code = p_community AND id = p_id;
        IF v_next IS NULL THEN
            RETURN p_id;
        END IF;
        p_id := v_next;
    END LOOP;
END
$$;

CREATE FUNCTION resident_root(p_community bpchar, p_id uuid) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_next uuid;
BEGIN
    LOOP
        SELECT merged_into_id INTO v_next FROM resident WHERE community_code = p_community AND id = p_id;
        IF v_next IS NULL THEN
            RETURN p_id;
        END IF;
        p_id := v_next;
    END LOOP;
END
$$;

-- A batch of knocks with the households and people that stand for those that were merged away.
CREATE FUNCTION screening_put_right(p_communities bpchar[], p_visits jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(
        v.body || jsonb_build_object('household_id', home.root, 'persons', said.persons)
            || CASE WHEN home.root = home.given THEN '{}' ELSE jsonb_build_object('given_household_id', home.given) END
            || CASE WHEN v.body ? 'findings' THEN jsonb_build_object('findings', (
                SELECT jsonb_agg(f.body || jsonb_build_object(
                    'resident_id', resident_root(c.code, (f.body ->> 'resident_id')::uuid)) ORDER BY f.n)
                FROM jsonb_array_elements(v.body -> 'findings') WITH ORDINALITY AS f(body, n))) ELSE '{}' END
        ORDER BY v.n)
    FROM jsonb_array_elements(p_visits) WITH ORDINALITY AS v(body, n)
    CROSS JOIN LATERAL (SELECT p_communities[(v.body ->> 'g')::int] AS code) c
    CROSS JOIN LATERAL (
        SELECT (v.body ->> 'household_id')::uuid AS given,
            household_root(c.code, (v.body ->> 'household_id')::uuid) AS root
    ) home
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(
            CASE WHEN k.root = k.given THEN p.body
                ELSE p.body || jsonb_build_object('resident_id', k.root, 'given_id', k.given) END
            ORDER BY p.n), '[]') AS persons
        FROM jsonb_array_elements(v.body -> 'persons') WITH ORDINALITY AS p(body, n)
        CROSS JOIN LATERAL (
            SELECT (p.body ->> 'resident_id')::uuid AS given,
                resident_root(c.code, (p.body ->> 'resident_id')::uuid) AS root
        ) k
    ) said
$$;

-- The same for care. Who lives behind another door now is cared for there.
CREATE FUNCTION care_put_right(p_communities bpchar[], p_visits jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(
        v.body || jsonb_build_object('household_id', home.root, 'resident_id', who.root)
            || CASE WHEN home.root = home.given THEN '{}' ELSE jsonb_build_object('given_household_id', home.given) END
            || CASE WHEN who.root IS NOT DISTINCT FROM who.given THEN '{}'
                ELSE jsonb_build_object('given_resident_id', who.given) END
        ORDER BY v.n)
    FROM jsonb_array_elements(p_visits) WITH ORDINALITY AS v(body, n)
    CROSS JOIN LATERAL (SELECT p_communities[(v.body ->> 'g')::int] AS code) c
    CROSS JOIN LATERAL (
        SELECT (v.body ->> 'resident_id')::uuid AS given,
            CASE WHEN v.body ->> 'resident_id' IS NOT NULL
                THEN resident_root(c.code, (v.body ->> 'resident_id')::uuid) END AS root
    ) who
    CROSS JOIN LATERAL (
        SELECT (v.body ->> 'household_id')::uuid AS given, coalesce(
            (SELECT m.household_id FROM resident m
             WHERE m.community_code = c.code AND m.id = who.root AND who.root <> who.given AND NOT m.is_gone),
            household_root(c.code, (v.body ->> 'household_id')::uuid)) AS root
    ) home
$$;

-- Where these households stand in these rounds, worked out anew from all their visits and the tallies with it, or as
-- `p_outcomes` (of the same length) says: what was closed as done stays done. One without a visit that counts stands
-- nowhere, unless its people have all been answered for behind another door. Call it under the clock.
CREATE FUNCTION screening_restate_merged(
    p_community bpchar, p_version bigint, p_rounds uuid[], p_homes uuid[], p_outcomes text[]
) RETURNS void LANGUAGE sql AS $$
    WITH after AS (
        SELECT t.round_id, t.household_id, f.attempts, f.missed_parts, coalesce(f.last_id, c.last_id) AS last_id,
            CASE WHEN f.last_id IS NULL THEN c.last_at ELSE f.asked_at END AS asked_at,
            coalesce(CASE WHEN f.last_id IS NULL THEN c.last_by ELSE f.asked_by END, '') AS asked_by,
            coalesce(f.last_at, c.last_at) AS last_at, coalesce(f.last_by, c.last_by, '') AS last_by,
            s.outcome AS before,
            CASE
                WHEN h.merged_into_id IS NOT NULL OR (h.is_closed AND q.status = 'open') THEN NULL
                WHEN t.outcome IS NOT NULL THEN t.outcome
                WHEN f.last_id IS NULL THEN
                    CASE WHEN q.status = 'open' AND c.done > 0 AND c.done >= h.resident_count THEN 'answered_all' END
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM unnest(p_rounds, p_homes, p_outcomes) AS t(round_id, household_id, outcome)
        JOIN household h ON h.community_code = p_community AND h.id = t.household_id
        JOIN screening_round q ON q.id = t.round_id
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE v.outcome = 'no_answer') AS attempts,
                coalesce(bit_or(1 << day_part(v.recorded_at)) FILTER (WHERE v.outcome = 'no_answer'), 0) AS missed_parts,
                max(v.recorded_at) FILTER (WHERE v.outcome IN ('answered_all', 'answered_part')) AS asked_at,
                (array_agg(v.actor_name) FILTER (WHERE v.outcome IN ('answered_all', 'answered_part')))[1] AS asked_by,
                (array_agg(v.outcome) FILTER (
                    WHERE v.outcome IN ('answered_all', 'answered_part', 'vacant', 'wrong_address')))[1] AS settled,
                (array_agg(v.outcome))[1] AS last_outcome,
                (array_agg(v.id))[1] AS last_id,
                (array_agg(v.actor_name))[1] AS last_by,
                max(v.recorded_at) AS last_at
            FROM (
                SELECT d.outcome, d.id, d.actor_name, d.recorded_at FROM door_visit d
                WHERE d.community_code = p_community AND d.household_id = t.household_id
                    AND d.round_id = t.round_id AND d.verdict IS DISTINCT FROM 'set_aside'
                ORDER BY d.recorded_at DESC, d.id DESC
            ) v
        ) f
        CROSS JOIN LATERAL (
            SELECT count(*) AS done, (array_agg(w.visit_id))[1] AS last_id, (array_agg(w.actor_name))[1] AS last_by,
                max(w.recorded_at) AS last_at
            FROM (
                SELECT k.visit_id, k.recorded_at, d.actor_name FROM person_check k
                LEFT JOIN door_visit d ON d.community_code = k.community_code AND d.id = k.visit_id
                WHERE k.community_code = p_community AND k.household_id = t.household_id
                    AND k.round_id = t.round_id AND NOT k.has_left
                ORDER BY k.recorded_at DESC, k.visit_id DESC
            ) w
        ) c
        LEFT JOIN household_screening s
            ON s.community_code = p_community AND s.round_id = t.round_id AND s.household_id = t.household_id
    ), gone AS (
        DELETE FROM household_screening s USING after
        WHERE s.community_code = p_community AND s.round_id = after.round_id
            AND s.household_id = after.household_id AND after.outcome IS NULL
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_visit_id,
            last_at, last_by, version)
        SELECT p_community, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_id,
            last_at, last_by, p_version
        FROM after WHERE outcome IS NOT NULL
        ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
            outcome = excluded.outcome, attempts = excluded.attempts, missed_parts = excluded.missed_parts,
            asked_at = excluded.asked_at, asked_by = excluded.asked_by, last_visit_id = excluded.last_visit_id,
            last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
    )
    INSERT INTO screening_tally AS t (
        community_code, round_id, answered_all, answered_part, no_answer, refused, vacant, wrong_address, unsafe)
    SELECT p_community, round_id,
        count(*) FILTER (WHERE outcome = 'answered_all') - count(*) FILTER (WHERE before = 'answered_all'),
        count(*) FILTER (WHERE outcome = 'answered_part') - count(*) FILTER (WHERE before = 'answered_part'),
        count(*) FILTER (WHERE outcome = 'no_answer') - count(*) FILTER (WHERE before = 'no_answer'),
        count(*) FILTER (WHERE outcome = 'refused') - count(*) FILTER (WHERE before = 'refused'),
        count(*) FILTER (WHERE outcome = 'vacant') - count(*) FILTER (WHERE before = 'vacant'),
        count(*) FILTER (WHERE outcome = 'wrong_address') - count(*) FILTER (WHERE before = 'wrong_address'),
        count(*) FILTER (WHERE outcome = 'unsafe') - count(*) FILTER (WHERE before = 'unsafe')
    FROM after GROUP BY round_id
    ON CONFLICT (community_code, round_id) DO UPDATE SET
        answered_all = t.answered_all + excluded.answered_all,
        answered_part = t.answered_part + excluded.answered_part,
        no_answer = t.no_answer + excluded.no_answer,
        refused = t.refused + excluded.refused,
        vacant = t.vacant + excluded.vacant,
        wrong_address = t.wrong_address + excluded.wrong_address,
        unsafe = t.unsafe + excluded.unsafe;
$$;

-- A knock named somebody who stands behind another door now: they are answered for there, and both doors stand
-- where they stand then.
CREATE FUNCTION screening_credit_merged(p_community bpchar, p_version bigint, p_visits uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_rounds uuid[];
    v_homes uuid[];
BEGIN
    WITH moved AS (
        UPDATE person_check k SET household_id = m.household_id, version = p_version
        FROM door_visit v
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(resident_id uuid, given_id uuid)
        JOIN resident m ON m.community_code = p_community AND m.id = p.resident_id AND NOT m.is_gone
        WHERE v.community_code = p_community AND v.id = ANY (p_visits) AND p.given_id IS NOT NULL
            AND m.household_id <> v.household_id
            AND k.community_code = p_community AND k.round_id = v.round_id AND k.resident_id = p.resident_id
            AND k.visit_id = v.id
        RETURNING k.round_id, k.household_id AS home, v.household_id AS door
    ), homes AS (
        SELECT round_id, home FROM moved UNION SELECT round_id, door FROM moved
    )
    SELECT array_agg(round_id), array_agg(home) INTO v_rounds, v_homes FROM homes;
    IF v_rounds IS NOT NULL THEN
        PERFORM screening_restate_merged(
            p_community, p_version, v_rounds, v_homes, array_fill(NULL::text, ARRAY[cardinality(v_rounds)]));
        PERFORM touch_households(p_community, p_version, v_homes);
    END IF;
END
$$;

-- Some people are others: what visits said of them is said of those who stand for them, and each counts once. Their
-- newest answer stands. Call it under the clock, after `merged_into_id` is written.
CREATE FUNCTION screening_merge_persons(p_community bpchar, p_version bigint, p_gone uuid[], p_kept uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE door_visit v SET version = p_version, persons = (
        SELECT jsonb_agg(
            CASE WHEN m.kept IS NULL THEN p.body ELSE p.body || jsonb_build_object(
                'resident_id', m.kept, 'given_id', coalesce(p.body ->> 'given_id', p.body ->> 'resident_id')) END
            ORDER BY p.n)
        FROM jsonb_array_elements(v.persons) WITH ORDINALITY AS p(body, n)
        LEFT JOIN unnest(p_gone, p_kept) AS m(gone, kept) ON m.gone = (p.body ->> 'resident_id')::uuid)
    WHERE v.community_code = p_community AND EXISTS (
        SELECT FROM unnest(p_gone) AS g(id)
        WHERE v.persons @> jsonb_build_array(jsonb_build_object('resident_id', g.id)));

    WITH known AS (
        SELECT k.*, coalesce(m.kept, k.resident_id) AS kept
        FROM person_check k
        LEFT JOIN unnest(p_gone, p_kept) AS m(gone, kept) ON m.gone = k.resident_id
        WHERE k.community_code = p_community AND k.resident_id = ANY (p_gone || p_kept)
    ), newest AS (
        SELECT DISTINCT ON (round_id, kept) * FROM known
        ORDER BY round_id, kept, recorded_at DESC, visit_id DESC, status = 'symptoms' DESC
    ), gone AS (
        DELETE FROM person_check k WHERE k.community_code = p_community AND k.resident_id = ANY (p_gone)
    ), put AS (
        INSERT INTO person_check (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, has_left, recorded_at, delete_by, version)
        SELECT p_community, n.round_id, n.kept, m.household_id, n.visit_id, n.status, n.temperature_c, n.symptoms,
            n.risk_area, false, n.recorded_at, n.delete_by, p_version
        FROM newest n JOIN resident m ON m.community_code = p_community AND m.id = n.kept
        WHERE n.resident_id <> n.kept
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, has_left = excluded.has_left,
            visit_id = excluded.visit_id, status = excluded.status, temperature_c = excluded.temperature_c,
            symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
    ), moved AS (
        SELECT round_id, sum(persons) AS persons, sum(symptoms) AS symptoms
        FROM (
            SELECT round_id, (resident_id <> kept OR NOT has_left)::int AS persons,
                (status = 'symptoms')::int AS symptoms
            FROM newest
            UNION ALL SELECT round_id, -(NOT has_left)::int, -(status = 'symptoms')::int FROM known
        ) u GROUP BY round_id
    )
    UPDATE screening_tally t SET
        persons_done = t.persons_done + m.persons, persons_symptoms = t.persons_symptoms + m.symptoms
    FROM moved m WHERE t.community_code = p_community AND t.round_id = m.round_id;
END
$$;

-- The other way: visits that were given for somebody who was merged into another (p_given: they and all who had been
-- merged into them before) speak of them again, and each of `p_named` has the newest answer given for them.
-- `p_checks` are those that stood before the merge: where what was said has been deleted since, that it was.
CREATE FUNCTION screening_part_persons(
    p_community bpchar, p_version bigint, p_given uuid[], p_gone uuid[], p_kept uuid[], p_named uuid[],
    p_checks jsonb
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE door_visit v SET version = p_version, persons = (
        SELECT jsonb_agg(
            CASE WHEN m.gone IS NULL THEN p.body
                WHEN m.gone = m.given THEN (p.body - 'given_id') || jsonb_build_object('resident_id', m.gone)
                ELSE p.body || jsonb_build_object('resident_id', m.gone) END
            ORDER BY p.n)
        FROM jsonb_array_elements(v.persons) WITH ORDINALITY AS p(body, n)
        LEFT JOIN unnest(p_given, p_gone, p_kept) AS m(given, gone, kept)
            ON m.given = (p.body ->> 'given_id')::uuid AND m.kept = (p.body ->> 'resident_id')::uuid)
    WHERE v.community_code = p_community AND EXISTS (
        SELECT FROM unnest(p_given, p_kept) AS m(given, kept)
        WHERE v.persons @> jsonb_build_array(jsonb_build_object('resident_id', m.kept, 'given_id', m.given)));

    WITH earlier AS (
        SELECT * FROM jsonb_to_recordset(p_checks) AS e(
            round_id uuid, resident_id uuid, household_id uuid, has_left boolean, visit_id uuid,
            recorded_at timestamptz, delete_by date)
    ), standing AS (
        SELECT k.* FROM person_check k WHERE k.community_code = p_community AND k.resident_id = ANY (p_named)
    ), said AS (
        SELECT v.round_id, p.resident_id, coalesce(e.household_id, m.household_id) AS household_id,
            coalesce(e.has_left, m.is_gone) AS has_left, v.id AS visit_id, p.status, p.temperature_c,
            coalesce(p.symptoms, '{}') AS symptoms, p.risk_area, v.recorded_at, v.delete_by
        FROM door_visit v
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(
            resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
        JOIN resident m ON m.community_code = p_community AND m.id = p.resident_id
        LEFT JOIN earlier e ON e.visit_id = v.id AND e.resident_id = p.resident_id
        WHERE v.community_code = p_community AND v.verdict IS DISTINCT FROM 'set_aside'
            AND p.resident_id = ANY (p_named) AND p.status <> 'unknown'
        UNION ALL
        SELECT e.round_id, e.resident_id, e.household_id, e.has_left, e.visit_id, 'answered', NULL, '{}', NULL,
            e.recorded_at, e.delete_by
        FROM earlier e
        LEFT JOIN door_visit v ON v.community_code = p_community AND v.id = e.visit_id
        WHERE v.id IS NULL OR (v.persons = '[]' AND v.verdict IS DISTINCT FROM 'set_aside')
        UNION ALL
        SELECT s.round_id, s.resident_id, s.household_id, s.has_left, s.visit_id, s.status, s.temperature_c, s.symptoms,
            s.risk_area, s.recorded_at, s.delete_by
        FROM standing s
        JOIN door_visit v ON v.community_code = p_community AND v.id = s.visit_id AND v.persons = '[]'
        WHERE NOT EXISTS (SELECT FROM earlier e WHERE e.visit_id = s.visit_id)
    ), newest AS (
        SELECT DISTINCT ON (round_id, resident_id) * FROM said
        ORDER BY round_id, resident_id, recorded_at DESC, visit_id DESC, status = 'symptoms' DESC
    ), gone AS (
        DELETE FROM person_check k USING standing s
        WHERE k.community_code = p_community AND k.round_id = s.round_id AND k.resident_id = s.resident_id
            AND NOT EXISTS (
                SELECT FROM newest n WHERE n.round_id = s.round_id AND n.resident_id = s.resident_id)
    ), put AS (
        INSERT INTO person_check (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, has_left, recorded_at, delete_by, version)
        SELECT p_community, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, has_left, recorded_at, delete_by, p_version
        FROM newest
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, has_left = excluded.has_left,
            visit_id = excluded.visit_id, status = excluded.status, temperature_c = excluded.temperature_c,
            symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
    ), moved AS (
        SELECT round_id, sum(persons) AS persons, sum(symptoms) AS symptoms
        FROM (
            SELECT round_id, (NOT has_left)::int AS persons, (status = 'symptoms')::int AS symptoms FROM newest
            UNION ALL SELECT round_id, -(NOT has_left)::int, -(status = 'symptoms')::int FROM standing
        ) u GROUP BY round_id
    )
    UPDATE screening_tally t SET
        persons_done = t.persons_done + m.persons, persons_symptoms = t.persons_symptoms + m.symptoms
    FROM moved m WHERE t.community_code = p_community AND t.round_id = m.round_id;
END
$$;

-- As in 0015, and what is said of somebody who has been merged away is said of who stands for them: such a batch is
-- taken with the ids put right, others pay for no more than the look.
CREATE OR REPLACE FUNCTION screening_record_door_visits(
    p_communities bpchar[], p_versions bigint[], p_actors uuid[], p_actor_names text[], p_devices uuid[],
    p_are_desks boolean[], p_visits jsonb
) RETURNS TABLE (group_no int, visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_groups int[];
    v_ids uuid[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
    v_round_groups int[];
    v_rounds uuid[];
    v_persons int[];
    v_symptoms int[];
    v_is_merged boolean;
    v_group int;
    v_again int[];
    v_before text[];
    v_asked_at timestamptz[];
    v_asked_by text[];
    v_missed int[];
BEGIN
    -- judge, in the batch's order
    SELECT array_agg(j.g ORDER BY n), array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag, CASE WHEN j.is_second THEN 'asked_again' END) ORDER BY n),
        array_agg(j.refusal IS NOT NULL ORDER BY n),
        array_agg(j.before ORDER BY n), array_agg(j.asked_at ORDER BY n), array_agg(j.asked_by ORDER BY n),
        array_agg(j.missed_parts ORDER BY n), bool_or(j.is_merged)
    INTO v_groups, v_ids, v_areas, v_reasons, v_refused, v_before, v_asked_at, v_asked_by, v_missed, v_is_merged
    FROM (
        SELECT v.n, v.g, v.id, place.area_id, place.is_merged OR s.is_merged AS is_merged,
            CASE
                WHEN place.household_id IS NULL THEN 'household_not_found'
                WHEN r.id IS NULL THEN 'round_not_found'
                WHEN s.has_stranger THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN r.status = 'closed' AND v.recorded_at > r.closed_at THEN 'round_closed'
                WHEN NOT p_are_desks[v.g] AND place.holder_id IS DISTINCT FROM p_actors[v.g] THEN nullif(
                    assignment_flag(p_communities[v.g], p_actors[v.g], place.area_id, place.holder_id, v.recorded_at),
                    '')
            END AS flag,
            -- all of them answered for and asked on this day already: asking again needs a reason
            v.asks IS NOT NULL AND (v.asks = 'second' OR b.outcome = 'answered_all'
                AND shanghai_midnight(b.asked_at) = shanghai_midnight(v.recorded_at)) AS is_second,
            b.outcome AS before, b.asked_at, b.asked_by, b.missed_parts
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, given_household_id uuid, round_id uuid, recorded_at timestamptz,
            persons jsonb, asks text
        )) WITH ORDINALITY AS v(g, id, household_id, given_household_id, round_id, recorded_at, persons, asks, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id,
                h.merged_into_id IS NOT NULL AS is_merged
            FROM household h
            JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
            LEFT JOIN responsibility_area a
                ON a.community_code = h.community_code AND a.id = d.responsibility_area_id
            WHERE h.community_code = p_communities[v.g] AND h.id = v.household_id
            OFFSET 0
        ) place ON true
        LEFT JOIN LATERAL (
            SELECT q.id, q.status, q.closed_at FROM screening_round q
            WHERE q.id = v.round_id AND p_communities[v.g] LIKE q.division_prefix || '%'
            OFFSET 0
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT bool_or(known.id IS NULL) AS has_stranger,
                bool_or(known.merged_into_id IS NOT NULL AND p.given_id IS NULL) AS is_merged
            FROM (
                -- a column of its own: row-level security keeps an index from what it takes for a function's doing
                SELECT coalesce(q.given_id, q.resident_id) AS id, q.given_id
                FROM jsonb_to_recordset(v.persons) AS q(resident_id uuid, given_id uuid)
                OFFSET 0
            ) p
            LEFT JOIN LATERAL (
                SELECT m.id, m.merged_into_id FROM resident m
                WHERE m.community_code = p_communities[v.g] AND m.id = p.id
                    AND m.household_id IN (v.household_id, v.given_household_id)
                OFFSET 0
            ) known ON true
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT s.outcome, s.asked_at, s.asked_by, s.missed_parts FROM household_screening s
            WHERE s.community_code = p_communities[v.g] AND s.round_id = v.round_id
                AND s.household_id = v.household_id
            OFFSET 0
        ) b ON true
    ) j;

    IF v_is_merged THEN
        RETURN QUERY SELECT * FROM screening_record_door_visits(
            p_communities, p_versions, p_actors, p_actor_names, p_devices, p_are_desks,
            screening_put_right(p_communities, p_visits));
        FOR v_group IN SELECT DISTINCT unnest(v_groups) LOOP
            PERFORM screening_credit_merged(p_communities[v_group], p_versions[v_group], v_ids);
        END LOOP;
        RETURN;
    END IF;

    -- the visits themselves
    INSERT INTO door_visit (
        community_code, id, round_id, household_id, given_household_id, responsibility_area_id, epoch, outcome,
        persons, note_sealed,
        actor_id, actor_name, device_id, recorded_at, received_at, flag_code, again_reason, self_report_id, delete_by,
        version)
    SELECT p_communities[v.g], v.id, v.round_id, v.household_id, v.given_household_id, v.area_id, v.epoch, v.outcome,
        v.persons,
        decode(v.note, 'base64'), p_actors[v.g], p_actor_names[v.g], p_devices[v.g], v.recorded_at, now(), v.reason,
        v.again_reason, v.self_report_id, v.delete_by, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, given_household_id uuid, round_id uuid, epoch int, outcome text,
            recorded_at timestamptz, persons jsonb, note text, again_reason text, self_report_id uuid,
            delete_by date),
        unnest(v_areas), unnest(v_reasons), unnest(v_refused)
    ) AS v(
        g, id, household_id, given_household_id, round_id, epoch, outcome, recorded_at, persons, note, again_reason,
        self_report_id, delete_by, area_id, reason, refused)
    WHERE NOT v.refused
    ON CONFLICT DO NOTHING;

    -- the newest answer for each person: being here is what counts as screened
    WITH given AS (
        SELECT DISTINCT ON (v.g, v.round_id, p.resident_id)
            v.g, v.round_id, p.resident_id, v.household_id, v.id AS visit_id, p.status, p.temperature_c,
            coalesce(p.symptoms, '{}') AS symptoms, p.risk_area, v.recorded_at, v.delete_by
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (
                g int, id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb,
                delete_by date),
            unnest(v_refused)
        ) AS v(g, id, household_id, round_id, recorded_at, persons, delete_by, refused)
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(
            resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
        WHERE NOT v.refused AND p.status <> 'unknown'
        ORDER BY v.g, v.round_id, p.resident_id, v.recorded_at DESC, v.id DESC, p.status = 'symptoms' DESC
    ), met AS (
        SELECT given.*, b.status AS before
        FROM given
        LEFT JOIN LATERAL (
            SELECT c.status FROM person_check c
            WHERE c.community_code = p_communities[given.g] AND c.round_id = given.round_id
                AND c.resident_id = given.resident_id
            OFFSET 0
        ) b ON true
    ), put AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, recorded_at, delete_by, version)
        SELECT p_communities[met.g], met.round_id, met.resident_id, met.household_id, met.visit_id, met.status,
            met.temperature_c, met.symptoms, met.risk_area, met.recorded_at, met.delete_by, p_versions[met.g]
        FROM met
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
        WHERE (excluded.recorded_at, excluded.visit_id) > (c.recorded_at, c.visit_id)
        RETURNING c.community_code, c.round_id, c.resident_id, c.status
    ), moved AS (
        SELECT met.g, met.round_id,
            count(*) FILTER (WHERE met.before IS NULL) AS persons,
            count(*) FILTER (WHERE put.status = 'symptoms') - count(*) FILTER (WHERE met.before = 'symptoms')
                AS symptoms,
            count(*) FILTER (WHERE put.status = 'symptoms' AND met.before = 'answered') AS again
        FROM put
        JOIN met ON put.community_code = p_communities[met.g] AND put.round_id = met.round_id
            AND put.resident_id = met.resident_id
        GROUP BY met.g, met.round_id
    )
    SELECT array_agg(g), array_agg(round_id), array_agg(persons), array_agg(symptoms), array_agg(again)
    INTO v_round_groups, v_rounds, v_persons, v_symptoms, v_again
    FROM moved;

    -- where each household now stands: read from all its visits, so the order of arrival does not matter
    WITH touched AS (
        SELECT v.g, v.round_id, v.household_id, count(*) AS visits, max(v.before) AS before,
            max(v.asked_before) AS asked_before, max(v.asked_by) AS asked_by,
            max(v.recorded_at) FILTER (WHERE v.outcome IN ('answered_all', 'answered_part')) AS asked_at,
            coalesce(max(v.missed), 0)
                | coalesce(bit_or(1 << day_part(v.recorded_at)) FILTER (WHERE v.outcome = 'no_answer'), 0) AS missed_parts
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (
                g int, household_id uuid, round_id uuid, recorded_at timestamptz, outcome text),
            unnest(v_refused), unnest(v_before), unnest(v_asked_at), unnest(v_asked_by), unnest(v_missed)
        ) AS v(g, household_id, round_id, recorded_at, outcome, refused, before, asked_before, asked_by, missed)
        WHERE NOT v.refused
        GROUP BY v.g, v.round_id, v.household_id
    ), after AS (
        SELECT t.g, t.round_id, t.household_id, t.visits, t.before, t.missed_parts, f.attempts, f.last_id, f.last_at,
            f.last_by, greatest(t.asked_before, t.asked_at) AS asked_at,
            CASE WHEN t.asked_before IS NULL OR t.asked_at >= t.asked_before THEN
                CASE WHEN t.asked_at IS NULL THEN '' ELSE p_actor_names[t.g] END
            ELSE t.asked_by END AS asked_by,
            CASE
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM touched t
        CROSS JOIN LATERAL (
            SELECT k.resident_count FROM household k
            WHERE k.community_code = p_communities[t.g] AND k.id = t.household_id
            OFFSET 0
        ) h
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE v.outcome = 'no_answer') AS attempts,
                (array_agg(v.outcome) FILTER (
                    WHERE v.outcome IN ('answered_all', 'answered_part', 'vacant', 'wrong_address')))[1] AS settled,
                (array_agg(v.outcome))[1] AS last_outcome,
                (array_agg(v.id))[1] AS last_id,
                (array_agg(v.actor_name))[1] AS last_by,
                max(v.recorded_at) AS last_at
            FROM (
                SELECT d.outcome, d.id, d.actor_name, d.recorded_at FROM door_visit d
                WHERE d.community_code = p_communities[t.g] AND d.household_id = t.household_id
                    AND d.round_id = t.round_id AND d.verdict IS DISTINCT FROM 'set_aside'
                ORDER BY d.recorded_at DESC, d.id DESC
            ) v
        ) f
        CROSS JOIN LATERAL (
            SELECT count(r.id) AS done
            FROM person_check k
            CROSS JOIN LATERAL (
                SELECT m.id FROM resident m
                WHERE m.community_code = k.community_code AND m.id = k.resident_id AND NOT m.is_gone
                OFFSET 0
            ) r
            WHERE k.community_code = p_communities[t.g] AND k.household_id = t.household_id
                AND k.round_id = t.round_id
        ) c
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_visit_id,
            last_at, last_by, version)
        SELECT p_communities[g], round_id, household_id, outcome, attempts, missed_parts, asked_at,
            asked_by, last_id, last_at, last_by, p_versions[g]
        FROM after
        ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
            outcome = excluded.outcome, attempts = excluded.attempts, missed_parts = excluded.missed_parts,
            asked_at = excluded.asked_at, asked_by = excluded.asked_by, last_visit_id = excluded.last_visit_id,
            last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
    )
    INSERT INTO screening_tally AS t (
        community_code, round_id, answered_all, answered_part, no_answer, refused, vacant, wrong_address, unsafe,
        persons_done, persons_symptoms, persons_symptoms_deleted, visit_count)
    SELECT p_communities[a.g], a.round_id,
        count(*) FILTER (WHERE outcome = 'answered_all') - count(*) FILTER (WHERE before = 'answered_all'),
        count(*) FILTER (WHERE outcome = 'answered_part') - count(*) FILTER (WHERE before = 'answered_part'),
        count(*) FILTER (WHERE outcome = 'no_answer') - count(*) FILTER (WHERE before = 'no_answer'),
        count(*) FILTER (WHERE outcome = 'refused') - count(*) FILTER (WHERE before = 'refused'),
        count(*) FILTER (WHERE outcome = 'vacant') - count(*) FILTER (WHERE before = 'vacant'),
        count(*) FILTER (WHERE outcome = 'wrong_address') - count(*) FILTER (WHERE before = 'wrong_address'),
        count(*) FILTER (WHERE outcome = 'unsafe') - count(*) FILTER (WHERE before = 'unsafe'),
        coalesce(max(m.persons), 0), coalesce(max(m.symptoms), 0), coalesce(max(m.again), 0), sum(a.visits)
    FROM after a
    LEFT JOIN unnest(v_round_groups, v_rounds, v_persons, v_symptoms, v_again) AS m(g, round_id, persons, symptoms, again)
        ON m.g = a.g AND m.round_id = a.round_id
    GROUP BY a.g, a.round_id
    ON CONFLICT (community_code, round_id) DO UPDATE SET
        answered_all = t.answered_all + excluded.answered_all,
        answered_part = t.answered_part + excluded.answered_part,
        no_answer = t.no_answer + excluded.no_answer,
        refused = t.refused + excluded.refused,
        vacant = t.vacant + excluded.vacant,
        wrong_address = t.wrong_address + excluded.wrong_address,
        unsafe = t.unsafe + excluded.unsafe,
        persons_done = t.persons_done + excluded.persons_done,
        -- whose symptoms are deleted and reported anew is one person still, as long as any deleted stand in the figure
        persons_symptoms = t.persons_symptoms + excluded.persons_symptoms
            - least(t.persons_symptoms_deleted, excluded.persons_symptoms_deleted),
        persons_symptoms_deleted = t.persons_symptoms_deleted
            - least(t.persons_symptoms_deleted, excluded.persons_symptoms_deleted),
        visit_count = t.visit_count + excluded.visit_count;

    IF p_visits @? '$[*].findings' THEN
        PERFORM follow_up_visits(p_communities, p_versions, p_actor_names, v_refused, p_visits);
    END IF;

    IF p_visits @? '$[*] ? (@.outcome == "no_answer")' OR EXISTS (
        SELECT FROM door_notice WHERE community_code = ANY (p_communities) AND closed_at IS NULL
    ) THEN
        PERFORM not_home_settle(
            p_communities, p_versions, array_agg(v.g), array_agg(v.round_id), array_agg(v.household_id))
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (g int, round_id uuid, household_id uuid), unnest(v_refused)
        ) AS v(g, round_id, household_id, refused)
        WHERE NOT v.refused;
    END IF;

    -- the phones that carry these doors have something to fetch
    UPDATE responsibility_area a SET version = p_versions[u.g]
    FROM (SELECT DISTINCT w.g, w.area_id FROM unnest(v_groups, v_areas) AS w(g, area_id)) u
    WHERE a.community_code = p_communities[u.g] AND a.id = u.area_id AND a.version < p_versions[u.g];

    RETURN QUERY
    SELECT u.g, u.id,
        CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END, u.reason
    FROM unnest(v_groups, v_ids, v_refused, v_reasons) AS u(g, id, refused, reason);
END
$$;

-- As in 0005, with the ids of those who were merged away put right.
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
        array_agg(coalesce(j.refusal, j.flag) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n),
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
            END AS flag
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, given_household_id uuid, given_resident_id uuid,
            recorded_at timestamptz
        )) WITH ORDINALITY AS v(
            g, id, household_id, resident_id, given_household_id, given_resident_id, recorded_at, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id,
                h.merged_into_id IS NOT NULL AS is_merged
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
                AND m.household_id IN (v.household_id, v.given_household_id)
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
