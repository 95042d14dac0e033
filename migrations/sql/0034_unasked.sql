-- What a visit did not answer that names no version of its round's questions, though some are required: of the version
-- that was in force when it was recorded (of the first, where it says it is older), of who was there to be asked.
-- Conditions hang on answers, and there are none: what is asked under one was not due. Each such visit gets the
-- `form_version` it is held to, its `faults` and its `answer_flag`, as the service says them of others.
CREATE FUNCTION visits_held_to_forms(p_visits jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(v.body || coalesce(due.said, '{}') ORDER BY v.n)
    FROM jsonb_array_elements(p_visits) WITH ORDINALITY AS v(body, n)
    LEFT JOIN LATERAL (
        SELECT jsonb_build_object(
            'form_version', f.version, 'answer_flag', 'answer_missing',
            'faults', jsonb_agg(jsonb_build_object('q', q.id, 'r', s.id, 'code', 'answer_missing') ORDER BY q.n, s.n)
        ) AS said
        FROM (
            SELECT k.version, k.questions FROM screening_round r
            JOIN round_form k ON k.round_id = coalesce(r.parent_id, r.id)
            WHERE r.id = (v.body ->> 'round_id')::uuid
            ORDER BY CASE WHEN k.created_at <= (v.body ->> 'recorded_at')::timestamptz
                THEN k.version ELSE -k.version END DESC
            LIMIT 1
        ) f
        CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(f.questions) AS (
            id text, per text, is_required boolean, shown_when text
        )) WITH ORDINALITY AS q(id, per, is_required, shown_when, n)
        CROSS JOIN LATERAL (
            SELECT NULL::text AS id, 0 AS n WHERE q.per IS DISTINCT FROM 'person'
            UNION ALL
            SELECT p.body ->> 'resident_id', p.n
            FROM jsonb_array_elements(v.body -> 'persons') WITH ORDINALITY AS p(body, n)
            WHERE q.per = 'person' AND p.body ->> 'status' IN ('well', 'symptoms')
        ) s
        WHERE q.is_required AND q.shown_when IS NULL
        GROUP BY f.version
    ) due ON v.body ->> 'form_version' IS NULL AND v.body ->> 'outcome' IN ('answered_all', 'answered_part')
$$;

-- As in 0030, and: a visit that names no version of questions is held to those of its round.
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
    v_elsewhere_groups int[];
    v_elsewhere_rounds uuid[];
    v_elsewhere uuid[];
    v_is_merged boolean;
    v_is_unasked boolean;
    v_group int;
    v_again int[];
    v_before text[];
    v_asked_at timestamptz[];
    v_asked_by text[];
    v_missed int[];
BEGIN
    -- judge, in the batch's order
    SELECT array_agg(j.g ORDER BY n), array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag, CASE WHEN j.is_second THEN 'asked_again' END, j.answer_flag) ORDER BY n),
        array_agg(j.refusal IS NOT NULL ORDER BY n),
        array_agg(j.before ORDER BY n), array_agg(j.asked_at ORDER BY n), array_agg(j.asked_by ORDER BY n),
        array_agg(j.missed_parts ORDER BY n), bool_or(j.is_merged), bool_or(j.is_unasked)
    INTO v_groups, v_ids, v_areas, v_reasons, v_refused, v_before, v_asked_at, v_asked_by, v_missed, v_is_merged,
        v_is_unasked
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
                WHEN v.recorded_at < r.begins_at THEN 'round_not_begun'
                WHEN NOT p_are_desks[v.g] AND place.holder_id IS DISTINCT FROM p_actors[v.g] THEN nullif(
                    assignment_flag(p_communities[v.g], p_actors[v.g], place.area_id, place.holder_id, v.recorded_at),
                    '')
            END AS flag,
            -- all of them answered for and asked on this day already: asking again needs a reason
            v.asks IS NOT NULL AND (v.asks = 'second' OR b.outcome = 'answered_all'
                AND shanghai_midnight(b.asked_at) = shanghai_midnight(v.recorded_at)) AS is_second,
            v.answer_flag, r.has_form AND v.form_version IS NULL AND v.outcome IN ('answered_all', 'answered_part')
                AS is_unasked, b.outcome AS before, b.asked_at, b.asked_by, b.missed_parts
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, given_household_id uuid, round_id uuid, recorded_at timestamptz,
            outcome text, persons jsonb, asks text, answer_flag text, form_version int
        )) WITH ORDINALITY AS v(
            g, id, household_id, given_household_id, round_id, recorded_at, outcome, persons, asks, answer_flag,
            form_version, n)
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
            -- midnight in Shanghai of its first day, in words that need no call
            SELECT q.id, q.status, q.closed_at, q.starts_on::timestamp AT TIME ZONE interval '8 hours' AS begins_at,
                q.revision > 0 AS has_form
            FROM screening_round q
            WHERE q.id = v.round_id AND p_communities[v.g] LIKE q.division_prefix || '%'
                AND q.status <> 'draft' AND q.rhythm = 'once'
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
                    AND (m.household_id IN (v.household_id, v.given_household_id) OR EXISTS (
                        SELECT FROM residence l
                        WHERE l.community_code = m.community_code AND l.resident_id = m.id
                            AND l.household_id IN (v.household_id, v.given_household_id) AND l.kind = 'lives_here'))
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

    IF v_is_unasked THEN
        p_visits := visits_held_to_forms(p_visits);
        SELECT array_agg(coalesce(u.reason, u.answer_flag) ORDER BY n) INTO v_reasons
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (answer_flag text), unnest(v_reasons))
            WITH ORDINALITY AS u(answer_flag, reason, n);
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
        SELECT given.*, b.status AS before, m.household_id AS home, m.is_gone
        FROM given
        CROSS JOIN LATERAL (
            SELECT r.household_id, r.is_gone FROM resident r
            WHERE r.community_code = p_communities[given.g] AND r.id = given.resident_id
            OFFSET 0
        ) m
        LEFT JOIN LATERAL (
            SELECT c.status FROM person_check c
            WHERE c.community_code = p_communities[given.g] AND c.round_id = given.round_id
                AND c.resident_id = given.resident_id
            OFFSET 0
        ) b ON true
    ), put AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, has_left, recorded_at, delete_by, version)
        SELECT p_communities[met.g], met.round_id, met.resident_id, met.home, met.visit_id, met.status,
            met.temperature_c, met.symptoms, met.risk_area, met.is_gone, met.recorded_at, met.delete_by,
            p_versions[met.g]
        FROM met
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
        WHERE (excluded.recorded_at, excluded.visit_id) > (c.recorded_at, c.visit_id)
        RETURNING c.community_code, c.round_id, c.resident_id, c.status
    ), moved AS (
        SELECT met.g, met.round_id,
            count(*) FILTER (WHERE met.before IS NULL AND NOT met.is_gone) AS persons,
            count(*) FILTER (WHERE put.status = 'symptoms') - count(*) FILTER (WHERE met.before = 'symptoms')
                AS symptoms,
            count(*) FILTER (WHERE put.status = 'symptoms' AND met.before = 'answered') AS again
        FROM put
        JOIN met ON put.community_code = p_communities[met.g] AND put.round_id = met.round_id
            AND put.resident_id = met.resident_id
        GROUP BY met.g, met.round_id
    )
    SELECT (SELECT array_agg(g ORDER BY g, round_id) FROM moved),
        (SELECT array_agg(round_id ORDER BY g, round_id) FROM moved),
        (SELECT array_agg(persons ORDER BY g, round_id) FROM moved),
        (SELECT array_agg(symptoms ORDER BY g, round_id) FROM moved),
        (SELECT array_agg(again ORDER BY g, round_id) FROM moved),
        (SELECT array_agg(g ORDER BY g, round_id, home) FROM met WHERE home <> household_id),
        (SELECT array_agg(round_id ORDER BY g, round_id, home) FROM met WHERE home <> household_id),
        (SELECT array_agg(home ORDER BY g, round_id, home) FROM met WHERE home <> household_id)
    INTO v_round_groups, v_rounds, v_persons, v_symptoms, v_again, v_elsewhere_groups, v_elsewhere_rounds, v_elsewhere;

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
            ELSE t.asked_by END AS asked_by, h.is_closed,
            CASE
                WHEN h.is_closed THEN t.before
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM touched t
        CROSS JOIN LATERAL (
            SELECT k.resident_count, k.is_closed FROM household k
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
            SELECT count(*) AS done
            FROM person_check k
            WHERE k.community_code = p_communities[t.g] AND k.household_id = t.household_id
                AND k.round_id = t.round_id AND NOT k.has_left
        ) c
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_visit_id,
            last_at, last_by, version)
        SELECT p_communities[g], round_id, household_id, outcome, attempts, missed_parts, asked_at,
            asked_by, last_id, last_at, last_by, p_versions[g]
        FROM after WHERE NOT is_closed
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

    IF p_visits @? '$[*].form_version' THEN
        PERFORM record_door_answers(p_communities, p_versions, v_refused, p_visits);
    END IF;

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

    -- homes to which people have moved since they were asked
    FOR nth IN 1 .. coalesce(array_length(v_elsewhere, 1), 0) LOOP
        PERFORM screening_restate_homes(p_communities[v_elsewhere_groups[nth]], p_versions[v_elsewhere_groups[nth]],
            v_elsewhere_rounds[nth:nth], v_elsewhere[nth:nth]);
        PERFORM touch_households(p_communities[v_elsewhere_groups[nth]], p_versions[v_elsewhere_groups[nth]],
            v_elsewhere[nth:nth]);
    END LOOP;

    RETURN QUERY
    SELECT u.g, u.id,
        CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END, u.reason
    FROM unnest(v_groups, v_ids, v_refused, v_reasons) AS u(g, id, refused, reason);
END
$$;
