//! What any journal promises, as tests. Each takes an empty journal.

use std::time::Duration;

use handoff_core::call::Fact;
use handoff_core::id::CarrierCallId;
use handoff_core::route::{Metrics, TargetName};

use super::testing::{
    NEW_YEAR, after, announced, call_id, context, digit, ended, handoff_id, observed, open,
    receipt, started, trigger, update,
};
use super::{
    Claimed, Claims, DeliveryState, Excerpt, FailureReason, Journal, JournalError, Settlement,
    TargetState, Undelivered,
};

const LEASE: Duration = Duration::from_secs(60);

/// Turns every promise into a test of a journal made by `$fresh`, which gives a guard and the
/// journal.
macro_rules! conformance {
    ($fresh:expr) => {
        $crate::journal::conformance::conformance!(@ $fresh;
            records_keep_their_order_and_times
            calls_have_records_of_their_own
            many_appends_at_once_are_all_kept
            calls_are_open_from_announcement_to_end
            the_first_call_of_a_carrier_name_is_found
            the_same_delivery_twice_is_one_row
            a_claim_gives_what_was_added
            claims_keep_to_sink_limit_and_due_time
            a_lease_that_ends_frees_the_row_and_fences_the_old_claim
            progress_is_given_back_with_the_time_it_was_first_saved
            an_update_waits_for_its_opening_and_gets_the_receipt
            updates_are_claimed_one_after_the_other
            an_update_of_a_dead_opening_is_never_opened
            an_update_without_an_opening_is_never_opened
            retries_fall_due_when_asked
            dead_letters_keep_reason_and_excerpt_and_can_be_revived
            the_age_of_the_oldest_undelivered_is_known
            adding_and_settling_are_announced
            the_last_that_was_told_of_a_target_stands
        );
    };
    (@ $fresh:expr; $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (_guard, journal) = $fresh;
                $crate::journal::conformance::$promise(journal).await;
            }
        )+
    };
}
pub(super) use conformance;

pub(super) async fn records_keep_their_order_and_times(journal: Journal) {
    let facts = vec![
        observed(0, announced("CA1")),
        observed(5, started()),
        observed(5, digit('1')),
    ];
    journal.append(&call_id(1), facts.clone()).await.unwrap();
    journal
        .append(&call_id(1), vec![observed(2, digit('2'))])
        .await
        .unwrap();
    journal.append(&call_id(1), Vec::new()).await.unwrap();

    let records = journal.records(&call_id(1)).await.unwrap();
    let sequences: Vec<u64> = records.iter().map(|record| record.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4]);
    assert!(records.iter().all(|record| record.call == call_id(1)));
    let read: Vec<_> = records
        .into_iter()
        .map(|r| (r.at, r.wall, r.fact))
        .collect();
    assert_eq!(read[..3], facts);
    assert_eq!(read[3], observed(2, digit('2')));
}

pub(super) async fn calls_have_records_of_their_own(journal: Journal) {
    journal
        .append(&call_id(1), vec![observed(0, digit('1'))])
        .await
        .unwrap();
    journal
        .append(&call_id(2), vec![observed(0, digit('2'))])
        .await
        .unwrap();
    let records = journal.records(&call_id(2)).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].sequence, &records[0].fact), (1, &digit('2')));
    assert_eq!(journal.records(&call_id(3)).await.unwrap(), []);
}

pub(super) async fn many_appends_at_once_are_all_kept(journal: Journal) {
    let mut appends = tokio::task::JoinSet::new();
    for number in 0..200_u8 {
        let journal = journal.clone();
        appends.spawn(async move {
            journal
                .append(
                    &call_id(number % 7),
                    vec![observed(number.into(), digit('0'))],
                )
                .await
        });
    }
    while let Some(appended) = appends.join_next().await {
        appended.unwrap().unwrap();
    }
    let mut kept = 0;
    for call in 0..7 {
        let records = journal.records(&call_id(call)).await.unwrap();
        let sequences: Vec<u64> = records.iter().map(|record| record.sequence).collect();
        assert_eq!(sequences, (1..=records.len() as u64).collect::<Vec<_>>());
        kept += records.len();
    }
    assert_eq!(kept, 200);
}

pub(super) async fn calls_are_open_from_announcement_to_end(journal: Journal) {
    for number in [1, 2] {
        let name = format!("CA{number}");
        journal
            .append(&call_id(number), vec![observed(0, announced(&name))])
            .await
            .unwrap();
    }
    journal
        .append(
            &call_id(1),
            vec![observed(9, ended()), observed(9, digit('1'))],
        )
        .await
        .unwrap();

    let open = journal.open_calls().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].call, call_id(2));
    assert_eq!(open[0].carrier_call, CarrierCallId("CA2".to_owned()));
    assert_eq!(open[0].announced, NEW_YEAR);
}

pub(super) async fn the_first_call_of_a_carrier_name_is_found(journal: Journal) {
    let name = CarrierCallId("CA1".to_owned());
    assert_eq!(journal.call_of_carrier(&name).await.unwrap(), None);
    journal
        .append(&call_id(2), vec![observed(0, announced("CA1"))])
        .await
        .unwrap();
    journal
        .append(&call_id(1), vec![observed(1, announced("CA1"))])
        .await
        .unwrap();
    assert_eq!(
        journal.call_of_carrier(&name).await.unwrap(),
        Some(call_id(2))
    );
}

pub(super) async fn the_same_delivery_twice_is_one_row(journal: Journal) {
    let decision = || vec![observed(3, Fact::Triggered(trigger(1)))];
    let both = || vec![open(1, "crm"), open(1, "chat")];
    journal
        .append_with_deliveries(&call_id(1), decision(), both())
        .await
        .unwrap();
    journal
        .append_with_deliveries(&call_id(1), Vec::new(), both())
        .await
        .unwrap();
    assert_eq!(journal.deliveries(&handoff_id(1)).await.unwrap().len(), 2);

    // Also once it is settled: a replayed decision delivers nothing again.
    let claim = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    journal
        .settle(claim.id, Settlement::Delivered(receipt("1")))
        .await
        .unwrap();
    journal
        .append_with_deliveries(&call_id(1), Vec::new(), both())
        .await
        .unwrap();
    assert_eq!(
        journal.claim("crm", after(1), 9, LEASE).await.unwrap(),
        Claims::default()
    );
    assert_eq!(journal.records(&call_id(1)).await.unwrap().len(), 1);
}

pub(super) async fn a_claim_gives_what_was_added(journal: Journal) {
    add(&journal, vec![open(1, "crm")]).await;
    let claims = journal.claim("crm", after(5), 9, LEASE).await.unwrap();
    assert_eq!(claims.next_due, Some(after(60_005)));
    let claim = &claims.ready[0];
    assert_eq!(
        (&claim.handoff, claim.sink.as_str()),
        (&handoff_id(1), "crm")
    );
    assert_eq!(
        (&claim.kind, &claim.context),
        (&Claimed::Open, &context(1, 0))
    );
    assert_eq!(
        (claim.attempt, claim.first_claimed, &claim.progress),
        (1, after(5), &None)
    );
}

pub(super) async fn claims_keep_to_sink_limit_and_due_time(journal: Journal) {
    add(
        &journal,
        (1..=3).map(|number| open(number, "crm")).collect(),
    )
    .await;
    add(&journal, vec![open(4, "chat")]).await;
    let before = handoff_core::time::WallTime(NEW_YEAR.0 - 1);
    let early = journal.claim("crm", before, 9, LEASE).await.unwrap();
    assert_eq!((early.ready.len(), early.next_due), (0, Some(NEW_YEAR)));

    let first = journal.claim("crm", NEW_YEAR, 2, LEASE).await.unwrap();
    let second = journal.claim("crm", NEW_YEAR, 2, LEASE).await.unwrap();
    let handoffs: Vec<_> = first
        .ready
        .iter()
        .chain(&second.ready)
        .map(|claim| claim.handoff.clone())
        .collect();
    assert_eq!(handoffs, [handoff_id(1), handoff_id(2), handoff_id(3)]);
}

pub(super) async fn a_lease_that_ends_frees_the_row_and_fences_the_old_claim(journal: Journal) {
    add(&journal, vec![open(1, "crm")]).await;
    let lost = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!(
        journal
            .claim("crm", after(59_999), 9, LEASE)
            .await
            .unwrap()
            .ready,
        []
    );

    let held = journal
        .claim("crm", after(60_000), 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!((held.attempt, held.first_claimed), (2, NEW_YEAR));
    let settled = journal
        .settle(lost.id, Settlement::Delivered(receipt("lost")))
        .await;
    assert!(
        matches!(settled, Err(JournalError::LeaseLost)),
        "{settled:?}"
    );
    let saved = journal.save_progress(lost.id, after(60_001), vec![1]).await;
    assert!(matches!(saved, Err(JournalError::LeaseLost)), "{saved:?}");
    journal
        .settle(held.id, Settlement::Delivered(receipt("held")))
        .await
        .unwrap();
    let again = journal
        .settle(held.id, Settlement::Delivered(receipt("again")))
        .await;
    assert!(matches!(again, Err(JournalError::LeaseLost)), "{again:?}");
    assert_eq!(
        state(&journal, 0).await,
        DeliveryState::Delivered(receipt("held"))
    );
}

pub(super) async fn progress_is_given_back_with_the_time_it_was_first_saved(journal: Journal) {
    add(&journal, vec![open(1, "crm")]).await;
    let claim = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    journal
        .save_progress(claim.id, after(1), vec![1])
        .await
        .unwrap();
    journal
        .save_progress(claim.id, after(2), vec![0, 255])
        .await
        .unwrap();

    let claim = journal
        .claim("crm", after(70_000), 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    let progress = claim.progress.unwrap();
    assert_eq!(
        (progress.bytes, progress.first_saved),
        (vec![0, 255], after(1))
    );
}

pub(super) async fn an_update_waits_for_its_opening_and_gets_the_receipt(journal: Journal) {
    add(&journal, vec![open(1, "crm"), update(1, "crm", 1)]).await;
    let mut claims = journal.claim("crm", NEW_YEAR, 9, LEASE).await.unwrap();
    assert_eq!(claims.ready.len(), 1);
    let opening = claims.ready.remove(0);
    assert_eq!(opening.kind, Claimed::Open);
    assert_eq!(
        journal
            .claim("crm", NEW_YEAR, 9, LEASE)
            .await
            .unwrap()
            .ready,
        []
    );
    let retry = Settlement::RetryAt {
        due: after(50),
        reason: FailureReason::Throttled,
    };
    journal.settle(opening.id, retry).await.unwrap();
    assert_eq!(
        journal
            .claim("crm", NEW_YEAR, 9, LEASE)
            .await
            .unwrap()
            .ready,
        []
    );

    let opening = journal
        .claim("crm", after(50), 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!((&opening.kind, opening.attempt), (&Claimed::Open, 2));
    journal
        .settle(opening.id, Settlement::Delivered(receipt("42")))
        .await
        .unwrap();
    let update = journal
        .claim("crm", after(50), 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    let opened = receipt("42");
    assert_eq!(
        (update.kind, update.context.revision),
        (Claimed::Update { opened }, 1)
    );
}

pub(super) async fn updates_are_claimed_one_after_the_other(journal: Journal) {
    add(
        &journal,
        vec![open(1, "crm"), update(1, "crm", 1), update(1, "crm", 2)],
    )
    .await;
    for revision in 0..3 {
        let mut claims = journal.claim("crm", NEW_YEAR, 9, LEASE).await.unwrap();
        assert_eq!(claims.ready.len(), 1);
        let claim = claims.ready.remove(0);
        assert_eq!(claim.context.revision, revision);
        journal
            .settle(claim.id, Settlement::Delivered(receipt("42")))
            .await
            .unwrap();
    }
}

pub(super) async fn an_update_of_a_dead_opening_is_never_opened(journal: Journal) {
    add(&journal, vec![open(1, "crm"), update(1, "crm", 1)]).await;
    let opening = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    journal.settle(opening.id, dead(None)).await.unwrap();
    let update = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!(update.kind, Claimed::NeverOpened);
}

pub(super) async fn an_update_without_an_opening_is_never_opened(journal: Journal) {
    add(&journal, vec![open(1, "chat"), update(1, "crm", 1)]).await;
    let update = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!(update.kind, Claimed::NeverOpened);
}

pub(super) async fn retries_fall_due_when_asked(journal: Journal) {
    add(&journal, vec![open(1, "crm")]).await;
    let claim = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    let reason = FailureReason::Broken { status: 503 };
    let retry = Settlement::RetryAt {
        due: after(7_000),
        reason: reason.clone(),
    };
    journal.settle(claim.id, retry).await.unwrap();
    let waiting = DeliveryState::Waiting {
        due: after(7_000),
        last_failure: Some(reason),
    };
    assert_eq!(state(&journal, 0).await, waiting);

    let early = journal.claim("crm", after(6_999), 9, LEASE).await.unwrap();
    assert_eq!((early.ready.len(), early.next_due), (0, Some(after(7_000))));
    assert_eq!(
        journal
            .claim("crm", after(7_000), 9, LEASE)
            .await
            .unwrap()
            .ready
            .len(),
        1
    );
}

pub(super) async fn dead_letters_keep_reason_and_excerpt_and_can_be_revived(journal: Journal) {
    add(&journal, vec![open(1, "crm")]).await;
    let claim = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    let excerpt = Excerpt::of("é".repeat(2_000).as_bytes());
    assert_eq!(excerpt.expose().chars().count(), Excerpt::MAX_CHARS);
    journal
        .settle(claim.id, dead(Some(excerpt.clone())))
        .await
        .unwrap();
    let letter = DeliveryState::Dead {
        at: after(9),
        reason: FailureReason::Gone,
        excerpt: Some(excerpt),
    };
    assert_eq!(state(&journal, 0).await, letter);
    assert_eq!(journal.undelivered().await.unwrap(), Undelivered::default());

    let id = journal.deliveries(&handoff_id(1)).await.unwrap()[0].id;
    assert!(journal.revive(id, after(100)).await.unwrap());
    assert!(!journal.revive(id, after(100)).await.unwrap());
    let claim = journal
        .claim("crm", after(100), 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    assert_eq!((claim.attempt, claim.first_claimed), (2, after(100)));
}

pub(super) async fn the_age_of_the_oldest_undelivered_is_known(journal: Journal) {
    assert_eq!(journal.undelivered().await.unwrap(), Undelivered::default());
    add(&journal, vec![open(1, "crm"), open(2, "chat")]).await;
    let undelivered = journal.undelivered().await.unwrap();
    assert_eq!((undelivered.count, undelivered.oldest), (2, Some(NEW_YEAR)));
    assert_eq!(
        undelivered.oldest_age(after(2_500)),
        Duration::from_millis(2_500)
    );
}

pub(super) async fn adding_and_settling_are_announced(journal: Journal) {
    let (mut added, mut settled) = (journal.deliveries_added(), journal.deliveries_settled());
    // The announcement comes also if whoever adds stops waiting.
    let adding = add(&journal, vec![open(1, "crm")]);
    assert!(futures_util::FutureExt::now_or_never(adding).is_none());
    added.changed().await.unwrap();
    let claim = journal
        .claim("crm", NEW_YEAR, 9, LEASE)
        .await
        .unwrap()
        .ready
        .remove(0);
    journal
        .settle(claim.id, Settlement::Delivered(receipt("1")))
        .await
        .unwrap();
    assert!(settled.has_changed().unwrap());
    settled.mark_unchanged();
    assert!(!added.has_changed().unwrap());
}

async fn add(journal: &Journal, deliveries: Vec<super::NewDelivery>) {
    journal
        .append_with_deliveries(&call_id(1), Vec::new(), deliveries)
        .await
        .unwrap();
}

async fn state(journal: &Journal, index: usize) -> DeliveryState {
    journal
        .deliveries(&handoff_id(1))
        .await
        .unwrap()
        .swap_remove(index)
        .state
}

fn dead(excerpt: Option<Excerpt>) -> Settlement {
    Settlement::Dead {
        at: after(9),
        reason: FailureReason::Gone,
        excerpt,
    }
}

pub(super) async fn the_last_that_was_told_of_a_target_stands(journal: Journal) {
    assert_eq!(journal.targets().await.unwrap(), []);
    let name = |text| TargetName::parse(text).unwrap();
    let state = |available, csat, told| TargetState {
        available,
        metrics: Metrics {
            handle_seconds: Some(0.1 + 0.2),
            csat,
            wait_seconds: None,
        },
        told: after(told),
    };
    for (target, told) in [
        ("sales", state(true, Some(4.5), 5)),
        ("front-desk", state(false, Some(3.0), 1)),
        ("sales", state(false, None, 7)),
        // Told before, and late to arrive.
        ("sales", state(true, Some(1.0), 6)),
        ("front-desk", state(true, None, 1)),
    ] {
        journal.note_target(&name(target), told).await.unwrap();
    }
    let expected = [
        (name("front-desk"), state(true, None, 1)),
        (name("sales"), state(false, None, 7)),
    ];
    assert_eq!(journal.targets().await.unwrap(), expected);
}
