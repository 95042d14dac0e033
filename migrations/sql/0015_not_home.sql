-- The not-home loop: after so many misses in so many parts of the day a door notice is due, until somebody opens.

CREATE FUNCTION rule_in_force(p_key text) RETURNS float8 LANGUAGE sql STABLE AS $$
    SELECT value FROM dated_rule
    WHERE key = p_key AND effective_on <= (now() AT TIME ZONE interval '8 hours')::date
    ORDER BY effective_on DESC LIMIT 1
$$;

-- Where these households (of the groups' communities) now stand decides whether a notice is due, due again or over.
CREATE FUNCTION not_home_settle(
    p_communities bpchar[], p_versions bigint[], p_groups int[], p_rounds uuid[], p_homes uuid[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_misses int := rule_in_force('not_home.misses');
    v_parts int := rule_in_force('not_home.day_parts');
BEGIN
    INSERT INTO door_notice AS n (community_code, round_id, household_id, due_at, version)
    SELECT p_communities[t.g], t.round_id, t.household_id, s.last_at, p_versions[t.g]
    FROM (SELECT DISTINCT * FROM unnest(p_groups, p_rounds, p_homes) AS u(g, round_id, household_id)) t
    CROSS JOIN LATERAL (
        SELECT k.outcome, k.attempts, k.missed_parts, k.last_at FROM household_screening k
        WHERE k.community_code = p_communities[t.g] AND k.round_id = t.round_id AND k.household_id = t.household_id
        OFFSET 0
    ) s
    WHERE s.outcome = 'no_answer' AND s.attempts >= v_misses
        AND bit_count(s.missed_parts::int::bit(3)) >= v_parts
    ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
        due_at = excluded.due_at, closed_at = NULL, version = excluded.version
    WHERE n.closed_at IS NOT NULL;

    UPDATE door_notice n SET closed_at = now(), version = p_versions[t.g]
    FROM (SELECT DISTINCT * FROM unnest(p_groups, p_rounds, p_homes) AS u(g, round_id, household_id)) t
    LEFT JOIN LATERAL (
        SELECT k.outcome, k.attempts, k.missed_parts FROM household_screening k
        WHERE k.community_code = p_communities[t.g] AND k.round_id = t.round_id AND k.household_id = t.household_id
        OFFSET 0
    ) s ON true
    WHERE n.community_code = p_communities[t.g] AND n.round_id = t.round_id AND n.household_id = t.household_id
        AND n.closed_at IS NULL
        AND (s.outcome IS DISTINCT FROM 'no_answer' OR n.left_at IS NULL AND (
            s.attempts < v_misses OR bit_count(s.missed_parts::int::bit(3)) < v_parts));
END
$$;

-- As in 0014, and notices follow.
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
    v_again int[];
    v_before text[];
    v_asked_at timestamptz[];
    v_asked_by text[];
    v_missed int[];
BEGIN
    -- judge, in the batch's order
    SELECT array_agg(j.g ORDER BY n), array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag, CASE WHEN j.is_second THEN 'asked_again' END) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n),
        array_agg(j.before ORDER BY n), array_agg(j.asked_at ORDER BY n), array_agg(j.asked_by ORDER BY n),
        array_agg(j.missed_parts ORDER BY n)
    INTO v_groups, v_ids, v_areas, v_reasons, v_refused, v_before, v_asked_at, v_asked_by, v_missed
    FROM (
        SELECT v.n, v.g, v.id, place.area_id,
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
            g int, id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb, asks text
        )) WITH ORDINALITY AS v(g, id, household_id, round_id, recorded_at, persons, asks, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id
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
            SELECT bool_or(known.id IS NULL) AS has_stranger
            FROM jsonb_to_recordset(v.persons) AS p(resident_id uuid)
            LEFT JOIN LATERAL (
                SELECT m.id FROM resident m
                WHERE m.community_code = p_communities[v.g] AND m.id = p.resident_id
                    AND m.household_id = v.household_id
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

    -- the visits themselves
    INSERT INTO door_visit (
        community_code, id, round_id, household_id, responsibility_area_id, epoch, outcome, persons, note_sealed,
        actor_id, actor_name, device_id, recorded_at, received_at, flag_code, again_reason, self_report_id, delete_by,
        version)
    SELECT p_communities[v.g], v.id, v.round_id, v.household_id, v.area_id, v.epoch, v.outcome, v.persons,
        decode(v.note, 'base64'), p_actors[v.g], p_actor_names[v.g], p_devices[v.g], v.recorded_at, now(), v.reason,
        v.again_reason, v.self_report_id, v.delete_by, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, round_id uuid, epoch int, outcome text, recorded_at timestamptz,
            persons jsonb, note text, again_reason text, self_report_id uuid, delete_by date),
        unnest(v_areas), unnest(v_reasons), unnest(v_refused)
    ) AS v(
        g, id, household_id, round_id, epoch, outcome, recorded_at, persons, note, again_reason, self_report_id,
        delete_by, area_id, reason, refused)
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
        ORDER BY v.g, v.round_id, p.resident_id, v.recorded_at DESC, v.id DESC
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

-- As in 0014, and notices follow.
CREATE OR REPLACE FUNCTION screening_restate_visits(p_community bpchar, p_version bigint, p_visits uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_rounds uuid[];
    v_homes uuid[];
    v_moved_rounds uuid[];
    v_persons int[];
    v_symptoms int[];
    v_again int[];
BEGIN
    -- The answer for each person these visits name: the newest of those that count. One that stands and is not set
    -- aside gives way to a newer one only, as when a visit is recorded: what it was read from may be deleted by now.
    WITH judged AS (
        SELECT d.id, d.round_id, d.household_id, d.persons FROM door_visit d
        WHERE d.community_code = p_community AND d.id = ANY (p_visits)
    ), named AS (
        SELECT DISTINCT j.round_id, p.resident_id
        FROM judged j CROSS JOIN LATERAL jsonb_to_recordset(j.persons) AS p(resident_id uuid, status text)
        WHERE p.status <> 'unknown'
    ), met AS (
        SELECT n.round_id, n.resident_id, k.status AS before, k.household_id AS before_home, w.*
        FROM named n
        LEFT JOIN LATERAL (
            SELECT c.status, c.household_id, c.visit_id, c.recorded_at, v.verdict
            FROM person_check c
            LEFT JOIN door_visit v ON v.community_code = c.community_code AND v.id = c.visit_id
            WHERE c.community_code = p_community AND c.round_id = n.round_id AND c.resident_id = n.resident_id
        ) k ON true
        LEFT JOIN LATERAL (
            SELECT d.household_id, d.id AS visit_id, p.status, p.temperature_c, p.symptoms, p.risk_area, d.recorded_at,
                d.delete_by
            FROM door_visit d
            CROSS JOIN LATERAL jsonb_to_recordset(d.persons) AS p(
                resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
            WHERE d.community_code = p_community AND d.round_id = n.round_id
                AND d.household_id IN (
                    SELECT j.household_id FROM judged j
                    UNION SELECT k.household_id
                    UNION SELECT m.household_id FROM resident m
                    WHERE m.community_code = p_community AND m.id = n.resident_id)
                AND d.verdict IS DISTINCT FROM 'set_aside' AND p.resident_id = n.resident_id AND p.status <> 'unknown'
            ORDER BY d.recorded_at DESC, d.id DESC
            LIMIT 1
        ) w ON true
        WHERE k.visit_id IS NULL OR k.verdict IS NOT DISTINCT FROM 'set_aside'
            OR (w.recorded_at, w.visit_id) > (k.recorded_at, k.visit_id)
    ), gone AS (
        DELETE FROM person_check c USING met
        WHERE c.community_code = p_community AND c.round_id = met.round_id AND c.resident_id = met.resident_id
            AND met.visit_id IS NULL
    ), put AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, recorded_at, delete_by, version)
        SELECT p_community, round_id, resident_id, household_id, visit_id, status, temperature_c,
            coalesce(symptoms, '{}'), risk_area, recorded_at, delete_by, p_version
        FROM met WHERE visit_id IS NOT NULL
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
    ), homes AS (
        SELECT round_id, household_id FROM judged
        UNION SELECT round_id, before_home FROM met WHERE before_home IS NOT NULL
        UNION SELECT round_id, household_id FROM met WHERE household_id IS NOT NULL
    ), moved AS (
        SELECT round_id,
            count(visit_id) - count(before) AS persons,
            count(*) FILTER (WHERE status = 'symptoms') - count(*) FILTER (WHERE before = 'symptoms') AS symptoms,
            count(*) FILTER (WHERE status = 'symptoms' AND before = 'answered') AS again
        FROM met GROUP BY round_id
    )
    SELECT (SELECT array_agg(round_id ORDER BY round_id, household_id) FROM homes),
        (SELECT array_agg(household_id ORDER BY round_id, household_id) FROM homes),
        (SELECT array_agg(round_id ORDER BY round_id) FROM moved),
        (SELECT array_agg(persons ORDER BY round_id) FROM moved),
        (SELECT array_agg(symptoms ORDER BY round_id) FROM moved),
        (SELECT array_agg(again ORDER BY round_id) FROM moved)
    INTO v_rounds, v_homes, v_moved_rounds, v_persons, v_symptoms, v_again;

    -- where each household now stands; one without a visit that counts stands nowhere
    WITH after AS (
        SELECT t.round_id, t.household_id, f.attempts, f.missed_parts, f.asked_at, f.asked_by, f.last_id,
            f.last_at, f.last_by, s.outcome AS before,
            CASE
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM unnest(v_rounds, v_homes) AS t(round_id, household_id)
        JOIN household h ON h.community_code = p_community AND h.id = t.household_id
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE v.outcome = 'no_answer') AS attempts,
                (array_agg(v.outcome) FILTER (
                    WHERE v.outcome IN ('answered_all', 'answered_part', 'vacant', 'wrong_address')))[1] AS settled,
                coalesce(bit_or(1 << day_part(v.recorded_at)) FILTER (WHERE v.outcome = 'no_answer'), 0) AS missed_parts,
                max(v.recorded_at) FILTER (WHERE v.outcome IN ('answered_all', 'answered_part')) AS asked_at,
                (array_agg(v.actor_name) FILTER (WHERE v.outcome IN ('answered_all', 'answered_part')))[1] AS asked_by,
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
            SELECT count(*) AS done
            FROM person_check k
            JOIN resident m ON m.community_code = k.community_code AND m.id = k.resident_id AND NOT m.is_gone
            WHERE k.community_code = p_community AND k.household_id = t.household_id AND k.round_id = t.round_id
        ) c
        LEFT JOIN household_screening s
            ON s.community_code = p_community AND s.round_id = t.round_id AND s.household_id = t.household_id
    ), gone AS (
        DELETE FROM household_screening s USING after
        WHERE s.community_code = p_community AND s.round_id = after.round_id
            AND s.household_id = after.household_id AND after.last_id IS NULL
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_visit_id,
            last_at, last_by, version)
        SELECT p_community, round_id, household_id, outcome, attempts, missed_parts, asked_at,
            coalesce(asked_by, ''), last_id, last_at, last_by, p_version
        FROM after WHERE last_id IS NOT NULL
        ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
            outcome = excluded.outcome, attempts = excluded.attempts, missed_parts = excluded.missed_parts,
            asked_at = excluded.asked_at, asked_by = excluded.asked_by, last_visit_id = excluded.last_visit_id,
            last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
    ), visits AS (
        SELECT d.round_id, sum(CASE WHEN d.verdict = 'set_aside' THEN -1 ELSE 1 END) AS n FROM door_visit d
        WHERE d.community_code = p_community AND d.id = ANY (p_visits)
        GROUP BY d.round_id
    ), doors AS (
        SELECT round_id,
            count(*) FILTER (WHERE outcome = 'answered_all') - count(*) FILTER (WHERE before = 'answered_all')
                AS answered_all,
            count(*) FILTER (WHERE outcome = 'answered_part') - count(*) FILTER (WHERE before = 'answered_part')
                AS answered_part,
            count(*) FILTER (WHERE outcome = 'no_answer') - count(*) FILTER (WHERE before = 'no_answer') AS no_answer,
            count(*) FILTER (WHERE outcome = 'refused') - count(*) FILTER (WHERE before = 'refused') AS refused,
            count(*) FILTER (WHERE outcome = 'vacant') - count(*) FILTER (WHERE before = 'vacant') AS vacant,
            count(*) FILTER (WHERE outcome = 'wrong_address') - count(*) FILTER (WHERE before = 'wrong_address')
                AS wrong_address,
            count(*) FILTER (WHERE outcome = 'unsafe') - count(*) FILTER (WHERE before = 'unsafe') AS unsafe
        FROM after GROUP BY round_id
    )
    UPDATE screening_tally t SET
        answered_all = t.answered_all + o.answered_all,
        answered_part = t.answered_part + o.answered_part,
        no_answer = t.no_answer + o.no_answer,
        refused = t.refused + o.refused,
        vacant = t.vacant + o.vacant,
        wrong_address = t.wrong_address + o.wrong_address,
        unsafe = t.unsafe + o.unsafe,
        persons_done = t.persons_done + coalesce(m.persons, 0),
        persons_symptoms = t.persons_symptoms + coalesce(m.symptoms, 0)
            - least(t.persons_symptoms_deleted, coalesce(m.again, 0)),
        persons_symptoms_deleted = t.persons_symptoms_deleted - least(t.persons_symptoms_deleted, coalesce(m.again, 0)),
        visit_count = t.visit_count + coalesce(v.n, 0)
    FROM doors o
    LEFT JOIN visits v USING (round_id)
    LEFT JOIN unnest(v_moved_rounds, v_persons, v_symptoms, v_again) AS m(round_id, persons, symptoms, again) USING (round_id)
    WHERE t.community_code = p_community AND t.round_id = o.round_id;

    PERFORM follow_up_restate(p_community, p_version, p_visits);
    PERFORM not_home_settle(
        ARRAY[p_community], ARRAY[p_version], array_fill(1, ARRAY[cardinality(v_homes)]), v_rounds, v_homes);
    PERFORM touch_households(p_community, p_version, v_homes);
END
$$;
