-- The hot writes again, by lookup. Row-level security hides from the planner how many rows a community has, and it
-- then reads whole communities where a batch needs fifty rows of them; a LATERAL subquery with OFFSET 0 stays a
-- lookup by key, whatever the planner believes. What a statement learns goes on as arrays, zipped to the batch by
-- ROWS FROM: a batch of one is as common as one of fifty, and each node of a plan is paid for at every call.

CREATE OR REPLACE FUNCTION append_audit(
    p_community char(12), p_actor uuid, p_actor_name text, p_device uuid, p_action text,
    p_subjects jsonb, p_payload text, p_request text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint;
    v_digest bytea := CASE WHEN p_payload IS NULL THEN NULL ELSE sha256(convert_to(p_payload, 'UTF8')) END;
    v_hash bytea;
BEGIN
    LOOP
        UPDATE audit_chain SET
            seq = seq + 1,
            hash = audit_hash(
                hash, p_community, seq + 1, now(), p_actor, p_actor_name, p_device, p_action, p_subjects, v_digest,
                p_request)
        WHERE community_code = p_community
        RETURNING seq, hash INTO v_seq, v_hash;
        EXIT WHEN FOUND;
        INSERT INTO audit_chain (community_code) VALUES (p_community) ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO audit_entry (
        community_code, seq, at, actor_id, actor_name, device_id, action, subjects, digest, request_id, hash
    ) VALUES (
        p_community, v_seq, now(), p_actor, p_actor_name, p_device, p_action, p_subjects, v_digest, p_request, v_hash
    );
    RETURN v_seq;
END
$$;

CREATE OR REPLACE FUNCTION screening_record_door_visits(
    p_community char(12), p_version bigint, p_actor uuid, p_actor_name text, p_device uuid, p_is_desk boolean,
    p_visits jsonb
) RETURNS TABLE (visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
    v_households uuid[];
    v_rounds uuid[];
    v_persons int[];
    v_symptoms int[];
BEGIN
    -- judge, in the batch's order
    SELECT array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n)
    INTO v_ids, v_areas, v_reasons, v_refused
    FROM (
        SELECT v.n, v.id, place.area_id,
            CASE
                WHEN place.household_id IS NULL THEN 'household_not_found'
                WHEN r.id IS NULL THEN 'round_not_found'
                WHEN s.has_stranger THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN r.status = 'closed' AND v.recorded_at > r.closed_at THEN 'round_closed'
                WHEN NOT p_is_desk AND place.holder_id IS DISTINCT FROM p_actor THEN nullif(assignment_flag(
                    p_community, p_actor, place.area_id, place.holder_id, v.recorded_at), '')
            END AS flag
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb
        )) WITH ORDINALITY AS v(id, household_id, round_id, recorded_at, persons, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id
            FROM household h
            JOIN dwelling d ON d.community_code = p_community AND d.id = h.dwelling_id
            LEFT JOIN responsibility_area a ON a.community_code = p_community AND a.id = d.responsibility_area_id
            WHERE h.community_code = p_community AND h.id = v.household_id
            OFFSET 0
        ) place ON true
        LEFT JOIN LATERAL (
            SELECT q.id, q.status, q.closed_at FROM screening_round q
            WHERE q.id = v.round_id AND p_community LIKE q.division_prefix || '%'
            OFFSET 0
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT bool_or(known.id IS NULL) AS has_stranger
            FROM jsonb_to_recordset(v.persons) AS p(resident_id uuid)
            LEFT JOIN LATERAL (
                SELECT m.id FROM resident m
                WHERE m.community_code = p_community AND m.id = p.resident_id AND m.household_id = v.household_id
                OFFSET 0
            ) known ON true
        ) s ON true
    ) j;

    -- the visits themselves
    INSERT INTO door_visit (
        community_code, id, round_id, household_id, responsibility_area_id, epoch, outcome, persons, note_sealed,
        actor_id, actor_name, device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_community, v.id, v.round_id, v.household_id, v.area_id, v.epoch, v.outcome, v.persons,
        decode(v.note, 'base64'), p_actor, p_actor_name, p_device, v.recorded_at, now(), v.reason, v.delete_by,
        p_version
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            id uuid, household_id uuid, round_id uuid, epoch int, outcome text, recorded_at timestamptz,
            persons jsonb, note text, delete_by date),
        unnest(v_areas), unnest(v_reasons), unnest(v_refused)
    ) AS v(id, household_id, round_id, epoch, outcome, recorded_at, persons, note, delete_by, area_id, reason, refused)
    WHERE NOT v.refused
    ON CONFLICT DO NOTHING;

    -- the newest answer for each person: being here is what counts as screened
    WITH given AS (
        SELECT DISTINCT ON (v.round_id, p.resident_id)
            v.round_id, p.resident_id, v.household_id, v.id AS visit_id, p.status, p.temperature_c,
            coalesce(p.symptoms, '{}') AS symptoms, p.risk_area, v.recorded_at, v.delete_by
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (
                id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb, delete_by date),
            unnest(v_refused)
        ) AS v(id, household_id, round_id, recorded_at, persons, delete_by, refused)
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(
            resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
        WHERE NOT v.refused AND p.status <> 'unknown'
        ORDER BY v.round_id, p.resident_id, v.recorded_at DESC, v.id DESC
    ), met AS (
        SELECT given.*, b.status AS before
        FROM given
        LEFT JOIN LATERAL (
            SELECT c.status FROM person_check c
            WHERE c.community_code = p_community AND c.round_id = given.round_id
                AND c.resident_id = given.resident_id
            OFFSET 0
        ) b ON true
    ), put AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, recorded_at, delete_by, version)
        SELECT p_community, met.round_id, met.resident_id, met.household_id, met.visit_id, met.status,
            met.temperature_c, met.symptoms, met.risk_area, met.recorded_at, met.delete_by, p_version
        FROM met
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
        WHERE (excluded.recorded_at, excluded.visit_id) > (c.recorded_at, c.visit_id)
        RETURNING c.round_id, c.resident_id, c.status
    ), moved AS (
        SELECT put.round_id,
            count(*) FILTER (WHERE met.before IS NULL) AS persons,
            count(*) FILTER (WHERE put.status = 'symptoms') - count(*) FILTER (WHERE met.before = 'symptoms')
                AS symptoms
        FROM put JOIN met USING (round_id, resident_id)
        GROUP BY put.round_id
    )
    SELECT array_agg(round_id), array_agg(persons), array_agg(symptoms) INTO v_rounds, v_persons, v_symptoms
    FROM moved;

    -- where each household now stands: read from all its visits, so the order of arrival does not matter
    WITH touched AS (
        SELECT v.round_id, v.household_id, count(*) AS visits
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (household_id uuid, round_id uuid), unnest(v_refused)
        ) AS v(household_id, round_id, refused)
        WHERE NOT v.refused
        GROUP BY v.round_id, v.household_id
    ), after AS (
        SELECT t.round_id, t.household_id, t.visits, f.attempts, f.last_id, f.last_at, f.last_by, b.outcome AS before,
            CASE
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM touched t
        CROSS JOIN LATERAL (
            SELECT k.resident_count FROM household k
            WHERE k.community_code = p_community AND k.id = t.household_id
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
                WHERE d.community_code = p_community AND d.household_id = t.household_id
                    AND d.round_id = t.round_id
                ORDER BY d.recorded_at DESC, d.id DESC
            ) v
        ) f
        CROSS JOIN LATERAL (
            SELECT count(r.id) AS done
            FROM person_check k
            CROSS JOIN LATERAL (
                SELECT m.id FROM resident m
                WHERE m.community_code = p_community AND m.id = k.resident_id AND NOT m.is_gone
                OFFSET 0
            ) r
            WHERE k.community_code = p_community AND k.household_id = t.household_id AND k.round_id = t.round_id
        ) c
        LEFT JOIN LATERAL (
            SELECT s.outcome FROM household_screening s
            WHERE s.community_code = p_community AND s.round_id = t.round_id AND s.household_id = t.household_id
            OFFSET 0
        ) b ON true
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, last_visit_id, last_at, last_by, version)
        SELECT p_community, round_id, household_id, outcome, attempts, last_id, last_at, last_by, p_version FROM after
        ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
            outcome = excluded.outcome, attempts = excluded.attempts, last_visit_id = excluded.last_visit_id,
            last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
    )
    INSERT INTO screening_tally AS t (
        community_code, round_id, answered_all, answered_part, no_answer, refused, vacant, wrong_address, unsafe,
        persons_done, persons_symptoms, visit_count)
    SELECT p_community, a.round_id,
        count(*) FILTER (WHERE outcome = 'answered_all') - count(*) FILTER (WHERE before = 'answered_all'),
        count(*) FILTER (WHERE outcome = 'answered_part') - count(*) FILTER (WHERE before = 'answered_part'),
        count(*) FILTER (WHERE outcome = 'no_answer') - count(*) FILTER (WHERE before = 'no_answer'),
        count(*) FILTER (WHERE outcome = 'refused') - count(*) FILTER (WHERE before = 'refused'),
        count(*) FILTER (WHERE outcome = 'vacant') - count(*) FILTER (WHERE before = 'vacant'),
        count(*) FILTER (WHERE outcome = 'wrong_address') - count(*) FILTER (WHERE before = 'wrong_address'),
        count(*) FILTER (WHERE outcome = 'unsafe') - count(*) FILTER (WHERE before = 'unsafe'),
        coalesce(v_persons[array_position(v_rounds, a.round_id)], 0),
        coalesce(v_symptoms[array_position(v_rounds, a.round_id)], 0),
        sum(visits)
    FROM after a
    GROUP BY a.round_id
    ON CONFLICT (community_code, round_id) DO UPDATE SET
        answered_all = t.answered_all + excluded.answered_all,
        answered_part = t.answered_part + excluded.answered_part,
        no_answer = t.no_answer + excluded.no_answer,
        refused = t.refused + excluded.refused,
        vacant = t.vacant + excluded.vacant,
        wrong_address = t.wrong_address + excluded.wrong_address,
        unsafe = t.unsafe + excluded.unsafe,
        persons_done = t.persons_done + excluded.persons_done,
        persons_symptoms = t.persons_symptoms + excluded.persons_symptoms,
        visit_count = t.visit_count + excluded.visit_count;

    -- the phones that carry these doors have something to fetch
    UPDATE responsibility_area SET version = p_version
    WHERE community_code = p_community AND id = ANY (v_areas) AND version < p_version;

    RETURN QUERY
    SELECT u.id, CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END,
        u.reason
    FROM unnest(v_ids, v_refused, v_reasons) AS u(id, refused, reason);
END
$$;

CREATE OR REPLACE FUNCTION care_record_visits(
    p_community char(12), p_version bigint, p_actor uuid, p_actor_name text, p_device uuid, p_is_desk boolean,
    p_visits jsonb
) RETURNS TABLE (visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
BEGIN
    SELECT array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n)
    INTO v_ids, v_areas, v_reasons, v_refused
    FROM (
        SELECT v.n, v.id, place.area_id,
            CASE
                WHEN place.household_id IS NULL THEN 'household_not_found'
                WHEN v.resident_id IS NOT NULL AND r.id IS NULL THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN NOT p_is_desk AND place.holder_id IS DISTINCT FROM p_actor THEN nullif(assignment_flag(
                    p_community, p_actor, place.area_id, place.holder_id, v.recorded_at), '')
            END AS flag
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            id uuid, household_id uuid, resident_id uuid, recorded_at timestamptz
        )) WITH ORDINALITY AS v(id, household_id, resident_id, recorded_at, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id
            FROM household h
            JOIN dwelling d ON d.community_code = p_community AND d.id = h.dwelling_id
            LEFT JOIN responsibility_area a ON a.community_code = p_community AND a.id = d.responsibility_area_id
            WHERE h.community_code = p_community AND h.id = v.household_id
            OFFSET 0
        ) place ON true
        LEFT JOIN LATERAL (
            SELECT m.id FROM resident m
            WHERE m.community_code = p_community AND m.id = v.resident_id AND m.household_id = v.household_id
            OFFSET 0
        ) r ON true
    ) j;

    INSERT INTO care_visit (
        community_code, id, household_id, resident_id, condition, needs, note_sealed, next_on, actor_id, actor_name,
        device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_community, v.id, v.household_id, v.resident_id, v.condition, coalesce(v.needs, '{}'),
        decode(v.note, 'base64'), v.next_on, p_actor, p_actor_name, p_device, v.recorded_at, now(), v.reason,
        v.delete_by, p_version
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            id uuid, household_id uuid, resident_id uuid, condition text, needs text[], note text, next_on date,
            recorded_at timestamptz, delete_by date),
        unnest(v_reasons), unnest(v_refused)
    ) AS v(id, household_id, resident_id, condition, needs, note, next_on, recorded_at, delete_by, reason, refused)
    WHERE NOT v.refused
    ON CONFLICT DO NOTHING;

    INSERT INTO care_plan AS p (
        community_code, household_id, last_visit_id, resident_id, condition, needs, last_at, next_on, version)
    SELECT DISTINCT ON (v.household_id)
        p_community, v.household_id, v.id, v.resident_id, v.condition, coalesce(v.needs, '{}'), v.recorded_at,
        v.next_on, p_version
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            id uuid, household_id uuid, resident_id uuid, condition text, needs text[], next_on date,
            recorded_at timestamptz),
        unnest(v_refused)
    ) AS v(id, household_id, resident_id, condition, needs, next_on, recorded_at, refused)
    WHERE NOT v.refused
    ORDER BY v.household_id, v.recorded_at DESC, v.id DESC
    ON CONFLICT (community_code, household_id) DO UPDATE SET
        last_visit_id = excluded.last_visit_id, resident_id = excluded.resident_id, condition = excluded.condition,
        needs = excluded.needs, last_at = excluded.last_at, next_on = excluded.next_on, version = excluded.version
    WHERE (excluded.last_at, excluded.last_visit_id) > (p.last_at, p.last_visit_id);

    UPDATE responsibility_area SET version = p_version
    WHERE community_code = p_community AND id = ANY (v_areas) AND version < p_version;

    RETURN QUERY
    SELECT u.id, CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END,
        u.reason
    FROM unnest(v_ids, v_refused, v_reasons) AS u(id, refused, reason);
END
$$;

CREATE OR REPLACE FUNCTION take_commands(
    p_community char(12), p_actor uuid, p_actor_name text, p_device uuid, p_is_desk boolean, p_request text,
    p_name text, p_commands jsonb
) RETURNS TABLE (command_id uuid, answer text, code text, detail text, is_repeat boolean, confirmed int)
LANGUAGE plpgsql AS $$
DECLARE
    v_version bigint;
    v_fresh jsonb := p_commands;
    v_asked uuid[];
    v_known uuid[];
    v_ids uuid[];
    v_verdicts text[];
    v_reasons text[];
    v_count int;
    v_confirmed int;
    v_today date := (now() AT TIME ZONE interval '8 hours')::date;
BEGIN
    v_version := advance_clock(p_community);
    SELECT array_agg(c.id) INTO v_asked FROM jsonb_to_recordset(p_commands) AS c(id uuid);
    SELECT array_agg(s.id) INTO v_known FROM sync_command s
    WHERE s.community_code = ANY (ARRAY[p_community, '000000000000']::bpchar[]) AND s.id = ANY (v_asked);
    IF v_known IS NOT NULL THEN
        SELECT jsonb_agg(c.body) INTO v_fresh
        FROM jsonb_array_elements(p_commands) AS c(body)
        WHERE (c.body ->> 'id')::uuid <> ALL (v_known);
    END IF;

    IF v_fresh IS NOT NULL THEN
        IF p_name = 'screening.record_door_visit' THEN
            SELECT array_agg(visit_id), array_agg(verdict), array_agg(reason) INTO v_ids, v_verdicts, v_reasons
            FROM screening_record_door_visits(
                p_community, v_version, p_actor, p_actor_name, p_device, p_is_desk, v_fresh);
        ELSIF p_name = 'care.record_visit' THEN
            SELECT array_agg(visit_id), array_agg(verdict), array_agg(reason) INTO v_ids, v_verdicts, v_reasons
            FROM care_record_visits(
                p_community, v_version, p_actor, p_actor_name, p_device, p_is_desk, v_fresh);
        ELSE
            SELECT array_agg((c ->> 'id')::uuid), array_agg('rejected'::text), array_agg(c ->> 'refusal')
            INTO v_ids, v_verdicts, v_reasons
            FROM jsonb_array_elements(v_fresh) AS c;
        END IF;

        INSERT INTO sync_command (
            community_code, id, name, account_id, device_id, status, code, detail, recorded_at, received_at)
        SELECT p_community, c.id, p_name, p_actor, p_device, c.verdict, c.reason, c.refusal_detail, c.recorded_at,
            now()
        FROM ROWS FROM (
            jsonb_to_recordset(v_fresh) AS (id uuid, recorded_at timestamptz, refusal_detail text),
            unnest(v_verdicts), unnest(v_reasons)
        ) AS c(id, recorded_at, refusal_detail, verdict, reason);

        v_count := cardinality(array_remove(v_verdicts, 'rejected'));
        IF v_count > 0 THEN
            INSERT INTO confirmed_day AS d (community_code, account_id, day, confirmed_count)
            VALUES (p_community, p_actor, v_today, v_count)
            ON CONFLICT (community_code, account_id, day)
                DO UPDATE SET confirmed_count = d.confirmed_count + excluded.confirmed_count
            RETURNING d.confirmed_count INTO v_confirmed;
        END IF;
        PERFORM append_audit(
            p_community, p_actor, p_actor_name, p_device, p_name, to_jsonb(v_ids), v_fresh::text, p_request);
    END IF;
    IF v_confirmed IS NULL THEN
        SELECT d.confirmed_count INTO v_confirmed FROM confirmed_day d
        WHERE d.community_code = p_community AND d.account_id = p_actor AND d.day = v_today;
    END IF;

    RETURN QUERY
    SELECT s.id, s.status::text, s.code::text, s.detail::text, s.id = ANY (v_known), coalesce(v_confirmed, 0)
    FROM sync_command s
    WHERE v_known IS NOT NULL AND s.community_code = ANY (ARRAY[p_community, '000000000000']::bpchar[])
        AND s.id = ANY (v_known)
    UNION ALL
    SELECT f.id, f.verdict, f.reason, f.refusal_detail, false, coalesce(v_confirmed, 0)
    FROM ROWS FROM (
        jsonb_to_recordset(v_fresh) AS (id uuid, refusal_detail text), unnest(v_verdicts), unnest(v_reasons)
    ) AS f(id, refusal_detail, verdict, reason);
END
$$;
