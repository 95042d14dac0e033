-- People move, leave and come back. In open rounds an answer follows its person to where they live, and households stand
-- as their people do.

-- Where these households stand in these rounds (arrays of one length), worked out anew from all their visits, and the
-- tallies with it. One without a visit that counts stands nowhere, unless its people have all been answered for at the
-- door where they lived before. In an open round a closed household stands nowhere. Call it under the clock.
CREATE FUNCTION screening_restate_homes(p_community bpchar, p_version bigint, p_rounds uuid[], p_homes uuid[])
RETURNS void LANGUAGE sql AS $$
    WITH after AS (
        SELECT t.round_id, t.household_id, f.attempts, f.missed_parts, coalesce(f.last_id, c.last_id) AS last_id,
            CASE WHEN f.last_id IS NULL THEN c.last_at ELSE f.asked_at END AS asked_at,
            coalesce(CASE WHEN f.last_id IS NULL THEN c.last_by ELSE f.asked_by END, '') AS asked_by,
            coalesce(f.last_at, c.last_at) AS last_at, coalesce(f.last_by, c.last_by, '') AS last_by,
            s.outcome AS before,
            CASE
                WHEN h.is_closed AND q.status = 'open' THEN NULL
                WHEN f.last_id IS NULL THEN
                    CASE WHEN q.status = 'open' AND c.done > 0 AND c.done >= h.resident_count THEN 'answered_all' END
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM (SELECT DISTINCT u.round_id, u.household_id FROM unnest(p_rounds, p_homes) AS u(round_id, household_id)) t
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

-- As in 0018, and: a visit may name somebody who lived there then and has moved since. Whom it names counts where they
-- live now, and not at all once they have left the community. A household that is closed stands nowhere.
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

-- As in 0015, on top of the above: whom a visit names counts where they live.
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
        SELECT n.round_id, n.resident_id, k.status AS before, coalesce(k.household_id, m.household_id) AS home,
            coalesce(k.has_left, m.is_gone) AS has_left, w.*
        FROM named n
        JOIN resident m ON m.community_code = p_community AND m.id = n.resident_id
        LEFT JOIN LATERAL (
            SELECT c.status, c.household_id, c.has_left, c.visit_id, c.recorded_at, v.verdict
            FROM person_check c
            LEFT JOIN door_visit v ON v.community_code = c.community_code AND v.id = c.visit_id
            WHERE c.community_code = p_community AND c.round_id = n.round_id AND c.resident_id = n.resident_id
        ) k ON true
        LEFT JOIN LATERAL (
            SELECT d.id AS visit_id, p.status, p.temperature_c, p.symptoms, p.risk_area, d.recorded_at,
                d.delete_by
            FROM door_visit d
            CROSS JOIN LATERAL jsonb_to_recordset(d.persons) AS p(
                resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
            WHERE d.community_code = p_community AND d.round_id = n.round_id
                AND d.household_id IN (
                    SELECT j.household_id FROM judged j
                    UNION SELECT k.household_id
                    UNION SELECT m.household_id
                    UNION SELECT l.household_id FROM residence l
                    WHERE l.community_code = p_community AND l.resident_id = n.resident_id)
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
            risk_area, has_left, recorded_at, delete_by, version)
        SELECT p_community, round_id, resident_id, home, visit_id, status, temperature_c,
            coalesce(symptoms, '{}'), risk_area, has_left, recorded_at, delete_by, p_version
        FROM met WHERE visit_id IS NOT NULL
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
    ), homes AS (
        SELECT round_id, household_id FROM judged
        UNION SELECT round_id, home FROM met
    ), moved AS (
        SELECT round_id,
            count(visit_id) FILTER (WHERE NOT has_left) - count(before) FILTER (WHERE NOT has_left) AS persons,
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

    PERFORM screening_restate_homes(p_community, p_version, v_rounds, v_homes);

    UPDATE screening_tally t SET
        persons_done = t.persons_done + coalesce(m.persons, 0),
        persons_symptoms = t.persons_symptoms + coalesce(m.symptoms, 0)
            - least(t.persons_symptoms_deleted, coalesce(m.again, 0)),
        persons_symptoms_deleted = t.persons_symptoms_deleted - least(t.persons_symptoms_deleted, coalesce(m.again, 0)),
        visit_count = t.visit_count + v.n
    FROM (
        SELECT d.round_id, sum(CASE WHEN d.verdict = 'set_aside' THEN -1 ELSE 1 END) AS n FROM door_visit d
        WHERE d.community_code = p_community AND d.id = ANY (p_visits)
        GROUP BY d.round_id
    ) v
    LEFT JOIN unnest(v_moved_rounds, v_persons, v_symptoms, v_again) AS m(round_id, persons, symptoms, again)
        USING (round_id)
    WHERE t.community_code = p_community AND t.round_id = v.round_id;

    PERFORM touch_households(p_community, p_version, v_homes);
    PERFORM follow_up_restate(p_community, p_version, p_visits);
    PERFORM not_home_settle(
        ARRAY[p_community], ARRAY[p_version], array_fill(1, ARRAY[cardinality(v_homes)]), v_rounds, v_homes);
END
$$;

-- These people have moved, left or come back, and these households have other members than before: in the open rounds an
-- answer follows its person, and who has left counts no longer among those answered for. Call it under the clock, with
-- the registry as it stands now.
CREATE FUNCTION screening_follow_people(
    p_community bpchar, p_version bigint, p_residents uuid[], p_households uuid[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_open uuid[];
    v_rounds uuid[];
    v_homes uuid[];
BEGIN
    SELECT array_agg(q.id ORDER BY q.id) INTO v_open FROM screening_round q
    WHERE q.status = 'open' AND p_community LIKE q.division_prefix || '%';

    WITH met AS (
        SELECT k.round_id, k.resident_id, k.has_left, m.household_id, m.is_gone
        FROM unnest(p_residents) AS u(id)
        JOIN resident m ON m.community_code = p_community AND m.id = u.id
        JOIN person_check k ON k.community_code = p_community AND k.resident_id = m.id AND k.round_id = ANY (v_open)
        WHERE (k.household_id, k.has_left) IS DISTINCT FROM (m.household_id, m.is_gone)
    ), put AS (
        UPDATE person_check k SET household_id = met.household_id, has_left = met.is_gone, version = p_version
        FROM met
        WHERE k.community_code = p_community AND k.round_id = met.round_id AND k.resident_id = met.resident_id
    ), moved AS (
        SELECT round_id, count(*) FILTER (WHERE NOT is_gone) - count(*) FILTER (WHERE NOT has_left) AS persons
        FROM met GROUP BY round_id
    )
    UPDATE screening_tally t SET persons_done = t.persons_done + moved.persons
    FROM moved WHERE t.community_code = p_community AND t.round_id = moved.round_id;

    SELECT array_agg(a.round_id ORDER BY a.round_id, a.household_id),
        array_agg(a.household_id ORDER BY a.round_id, a.household_id)
    INTO v_rounds, v_homes
    FROM (
        SELECT o.round_id, u.household_id
        FROM unnest(v_open) AS o(round_id) CROSS JOIN unnest(p_households) AS u(household_id)
        WHERE EXISTS (SELECT FROM household_screening s WHERE s.community_code = p_community
                AND s.round_id = o.round_id AND s.household_id = u.household_id)
            OR EXISTS (SELECT FROM person_check k WHERE k.community_code = p_community
                AND k.household_id = u.household_id AND k.round_id = o.round_id)
            OR EXISTS (SELECT FROM door_visit d WHERE d.community_code = p_community
                AND d.household_id = u.household_id AND d.round_id = o.round_id)
    ) a;
    PERFORM screening_restate_homes(p_community, p_version, v_rounds, v_homes);
    IF v_homes IS NOT NULL THEN
        PERFORM not_home_settle(
            ARRAY[p_community], ARRAY[p_version], array_fill(1, ARRAY[cardinality(v_homes)]), v_rounds, v_homes);
    END IF;
END
$$;

-- What was promised to households that are no more goes with their people (arrays of one length), unless something has
-- been promised there already.
CREATE FUNCTION care_follow_people(p_community bpchar, p_version bigint, p_closed uuid[], p_homes uuid[])
RETURNS void LANGUAGE sql AS $$
    INSERT INTO care_plan (
        community_code, household_id, last_visit_id, resident_id, condition, needs, last_at, next_on, version)
    SELECT DISTINCT ON (u.household_id) p_community, u.household_id, p.last_visit_id, p.resident_id, p.condition,
        p.needs, p.last_at, p.next_on, p_version
    FROM unnest(p_closed, p_homes) AS u(closed_id, household_id)
    JOIN care_plan p ON p.community_code = p_community AND p.household_id = u.closed_id
    ORDER BY u.household_id, p.last_at DESC
    ON CONFLICT (community_code, household_id) DO NOTHING;
$$;
