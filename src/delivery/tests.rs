use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::outcome::FailureReason;
use super::schedule::Schedule;
use super::sink::Sink;
use super::testing::{Vendor, Whim, within};
use super::worker::Worker;
use crate::egress::{Egress, EgressOptions};
use crate::journal::testing::{TestDir, call_id, handoff_id, open, update};
use crate::journal::{Delivery, DeliveryState, Journal, NewDelivery, Receipt};

const TOKENS: &str = "POST /oauth/tokens";
const UPLOADS: &str = "POST /api/v2/uploads";
const TICKETS: &str = "POST /api/v2/tickets";
const TICKET: &str = "PUT /api/v2/tickets/1";
const COMMENTS: &str = "GET /api/v2/tickets/1/comments";
const HOOK: &str = "POST /hook";

/// A journal and a worker that delivers from it.
struct Bench {
    dir: TestDir,
    journal: Journal,
    schedule: Schedule,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Bench {
    fn new(sinks: Vec<Sink>) -> Self {
        let schedule = Schedule {
            first_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(20),
            ..Schedule::default()
        };
        Self::with_schedule(sinks, schedule)
    }

    fn with_schedule(sinks: Vec<Sink>, schedule: Schedule) -> Self {
        let dir = TestDir::new();
        let journal = Journal::open(&dir.journal()).unwrap();
        let mut bench = Self {
            dir,
            journal,
            schedule,
            running: None,
        };
        bench.start(sinks);
        bench
    }

    fn start(&mut self, sinks: Vec<Sink>) {
        let egress = EgressOptions {
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(10),
        };
        let worker = Worker {
            journal: self.journal.clone(),
            egress: Egress::new(egress).unwrap(),
            schedule: self.schedule,
            drain: Duration::from_millis(20),
        };
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        self.running = Some((stop, tokio::spawn(worker.run(sinks, shutdown))));
    }

    /// Stops the worker in good order.
    async fn stop(&mut self) {
        let (stop, run) = self.running.take().unwrap();
        stop.send(()).unwrap();
        within(run).await.unwrap();
    }

    /// Ends the worker where it stands and opens the journal again, as after a crash.
    async fn crash_and_start(&mut self, sinks: Vec<Sink>) {
        let (_stop, run) = self.running.take().unwrap();
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled());
        self.journal.clone().close().await;
        self.journal = Journal::open(&self.dir.journal()).unwrap();
        self.start(sinks);
    }

    async fn add(&self, deliveries: Vec<NewDelivery>) {
        self.journal
            .append_with_deliveries(&call_id(1), Vec::new(), deliveries)
            .await
            .unwrap();
    }

    /// Waits until the deliveries of a handoff are as asked for.
    async fn until(&self, handoff: u8, wanted: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let mut settled = self.journal.deliveries_settled();
        within(async {
            loop {
                let deliveries = self.journal.deliveries(&handoff_id(handoff)).await.unwrap();
                if wanted(&deliveries) {
                    return deliveries;
                }
                settled.changed().await.unwrap();
            }
        })
        .await
    }

    async fn until_delivered(&self, handoff: u8) -> Vec<Receipt> {
        let all = |deliveries: &[Delivery]| deliveries.iter().all(|d| receipt(d).is_some());
        let deliveries = self.until(handoff, all).await;
        deliveries.iter().filter_map(receipt).cloned().collect()
    }

    async fn until_failed(&self, handoff: u8) -> FailureReason {
        let failed = |deliveries: &[Delivery]| failure(&deliveries[0]).is_some();
        let deliveries = self.until(handoff, failed).await;
        failure(&deliveries[0]).unwrap().clone()
    }
}

fn receipt(delivery: &Delivery) -> Option<&Receipt> {
    match &delivery.state {
        DeliveryState::Delivered(receipt) => Some(receipt),
        DeliveryState::Waiting { .. } | DeliveryState::Dead { .. } => None,
    }
}

fn failure(delivery: &Delivery) -> Option<&FailureReason> {
    match &delivery.state {
        DeliveryState::Waiting { last_failure, .. } => last_failure.as_ref(),
        DeliveryState::Delivered(_) | DeliveryState::Dead { .. } => None,
    }
}

#[tokio::test]
async fn a_context_is_delivered_as_soon_as_it_is_added() {
    let vendor = Vendor::start().await;
    let bench = Bench::new(vec![vendor.zendesk(), vendor.slack()]);
    bench.add(vec![open(1, "zendesk"), open(1, "slack")]).await;
    let receipts = bench.until_delivered(1).await;
    assert_eq!(receipts[0].external_id, "1");
    assert!(receipts[0].exactly_once);
    assert_eq!((vendor.tickets(), vendor.cards()), (1, 1));
    assert_eq!(bench.journal.undelivered().await.unwrap().count, 0);
}

#[tokio::test]
async fn a_throttling_vendor_is_left_alone_for_as_long_as_it_asks() {
    let vendor = Vendor::start().await;
    vendor.meets(HOOK, [Whim::Refuse(429, Some("1"))]);
    let bench = Bench::new(vec![vendor.slack()]);
    bench.add(vec![open(1, "slack")]).await;
    assert_eq!(bench.until_failed(1).await, FailureReason::Throttled);
    bench.until_delivered(1).await;
    let hooks = vendor.seen(HOOK);
    assert_eq!(hooks.len(), 2);
    assert!(hooks[1].at - hooks[0].at >= Duration::from_millis(999));
}

#[tokio::test]
async fn a_broken_vendor_is_asked_until_it_is_well() {
    let vendor = Vendor::start().await;
    vendor.meets(
        TICKETS,
        [500, 503, 502].map(|status| Whim::Refuse(status, None)),
    );
    let bench = Bench::new(vec![vendor.zendesk()]);
    bench.add(vec![open(1, "zendesk")]).await;
    bench.until_delivered(1).await;
    assert_eq!(vendor.tickets(), 1);
    let creates = vendor.seen(TICKETS);
    assert_eq!(creates.len(), 4);
    assert!(creates.iter().all(|create| create.body == creates[0].body));
    // The step that succeeded is not repeated.
    assert_eq!(vendor.seen(UPLOADS).len(), 1);
    assert_eq!(vendor.seen(TOKENS).len(), 1);
}

#[tokio::test]
async fn an_answer_lost_after_acting_makes_one_ticket() {
    let vendor = Vendor::start().await;
    vendor.meets(TICKETS, [Whim::ActAndCut]);
    let bench = Bench::new(vec![vendor.zendesk()]);
    bench.add(vec![open(1, "zendesk")]).await;
    let receipts = bench.until_delivered(1).await;
    assert_eq!((vendor.tickets(), vendor.seen(TICKETS).len()), (1, 2));
    assert!(receipts[0].exactly_once);
}

#[tokio::test]
async fn the_update_follows_its_opening_although_that_fails_first() {
    let vendor = Vendor::start().await;
    vendor.meets(TICKETS, [Whim::Refuse(500, None)]);
    let bench = Bench::new(vec![vendor.zendesk()]);
    bench
        .add(vec![open(1, "zendesk"), update(1, "zendesk", 1)])
        .await;
    let receipts = bench.until_delivered(1).await;
    assert_eq!(receipts.len(), 2);
    let lines = vendor.lines();
    let first = |line: &str| lines.iter().position(|seen| seen == line).unwrap();
    let last_create = lines.iter().rposition(|seen| seen == TICKETS).unwrap();
    assert!(first(TICKET) > last_create, "{lines:?}");
    assert_eq!((vendor.tickets(), vendor.notes()), (1, 1));
}

#[tokio::test]
async fn a_crash_between_request_and_answer_makes_one_ticket_and_one_note() {
    let vendor = Vendor::start().await;
    vendor.meets(TICKETS, [Whim::ActAndStall]);
    let mut bench = Bench::new(vec![vendor.zendesk()]);
    bench
        .add(vec![open(1, "zendesk"), update(1, "zendesk", 1)])
        .await;
    vendor.until_seen(TICKETS, 1).await;

    vendor.meets(TICKET, [Whim::ActAndStall]);
    bench.crash_and_start(vec![vendor.zendesk()]).await;
    vendor.until_seen(TICKET, 1).await;
    let creates = vendor.seen(TICKETS);
    assert_eq!((creates.len(), vendor.tickets()), (2, 1));
    assert_eq!(
        (&creates[0].key, &creates[0].body),
        (&creates[1].key, &creates[1].body)
    );
    assert_eq!(vendor.seen(UPLOADS).len(), 1);

    // Zendesk takes no key for a note: it is looked for.
    bench.crash_and_start(vec![vendor.zendesk()]).await;
    let receipts = bench.until_delivered(1).await;
    assert_eq!((vendor.seen(COMMENTS).len(), vendor.notes()), (1, 1));
    assert!(receipts.iter().all(|receipt| receipt.exactly_once));
}

#[tokio::test]
async fn shutdown_leaves_what_is_under_way_to_the_next_start() {
    let vendor = Vendor::start().await;
    vendor.meets(TICKETS, [Whim::ActAndStall]);
    let mut bench = Bench::new(vec![vendor.zendesk()]);
    bench.add(vec![open(1, "zendesk")]).await;
    vendor.until_seen(TICKETS, 1).await;
    bench.stop().await;
    assert_eq!(bench.journal.undelivered().await.unwrap().count, 1);

    bench.journal.clone().close().await;
    bench.journal = Journal::open(&bench.dir.journal()).unwrap();
    bench.start(vec![vendor.zendesk()]);
    bench.until_delivered(1).await;
    assert_eq!(vendor.tickets(), 1);
}

#[tokio::test]
async fn a_stalled_vendor_holds_up_nobody_else_and_gets_four_at_once() {
    let stalled = Vendor::start().await;
    stalled.meets(TICKETS, vec![Whim::ActAndStall; 9]);
    let other = Vendor::start().await;
    let bench = Bench::new(vec![stalled.zendesk(), other.slack()]);
    bench
        .add((1..=9).map(|number| open(number, "zendesk")).collect())
        .await;
    stalled.until_seen(TICKETS, 4).await;
    bench
        .add((10..=19).map(|number| open(number, "slack")).collect())
        .await;
    for handoff in 10..=19 {
        bench.until_delivered(handoff).await;
    }
    assert_eq!(other.cards(), 10);
    assert_eq!(stalled.seen(TICKETS).len(), 4);
}

#[tokio::test]
async fn what_the_vendor_rejects_becomes_a_dead_letter_with_its_answer_and_takes_the_update_along()
{
    let vendor = Vendor::start().await;
    let answer = r#"{"error":"RecordInvalid","description":"Requester: Email is invalid"}"#;
    vendor.meets(TICKETS, [Whim::Reject(422, answer)]);
    let bench = Bench::new(vec![vendor.zendesk()]);
    bench
        .add(vec![open(1, "zendesk"), update(1, "zendesk", 1)])
        .await;
    let dead = |d: &[Delivery]| {
        d.iter()
            .all(|d| matches!(d.state, DeliveryState::Dead { .. }))
    };
    let deliveries = bench.until(1, dead).await;
    let DeliveryState::Dead {
        reason, excerpt, ..
    } = &deliveries[0].state
    else {
        unreachable!("all are dead")
    };
    let code = Some("RecordInvalid".to_owned());
    assert_eq!(*reason, FailureReason::Rejected { status: 422, code });
    assert_eq!(excerpt.as_ref().unwrap().expose(), answer);
    assert!(matches!(
        &deliveries[1].state,
        DeliveryState::Dead {
            reason: FailureReason::NeverOpened,
            excerpt: None,
            ..
        }
    ));
    assert_eq!(vendor.seen(TICKETS).len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_step_repeated() {
    let vendor = Vendor::start().await;
    vendor.meets(TICKETS, [Whim::Refuse(401, None)]);
    let bench = Bench::new(vec![vendor.zendesk()]);
    bench.add(vec![open(1, "zendesk")]).await;
    let deliveries = bench.until(1, |d| receipt(&d[0]).is_some()).await;
    assert_eq!(deliveries[0].attempts, 1);
    let bearers: Vec<_> = vendor
        .seen(TICKETS)
        .into_iter()
        .map(|seen| seen.bearer)
        .collect();
    assert_eq!(
        bearers,
        [Some("Bearer t1".to_owned()), Some("Bearer t2".to_owned())]
    );
}

#[tokio::test]
async fn credentials_that_stay_refused_are_told_and_tried_until_they_are_mended() {
    let vendor = Vendor::start().await;
    let bench = Bench::new(vec![vendor.zendesk()]);
    for (handoff, refused) in [(1, TOKENS), (2, TICKETS)] {
        vendor.meets(refused, vec![Whim::Refuse(401, None); 1_000]);
        bench.add(vec![open(handoff, "zendesk")]).await;
        assert_eq!(
            bench.until_failed(handoff).await,
            FailureReason::Unauthorized
        );
        vendor.mends();
        bench.until_delivered(handoff).await;
    }
    assert_eq!(vendor.tickets(), 2);
}

#[tokio::test]
async fn a_sink_that_is_gone_gets_nothing_more_and_loses_nothing() {
    let vendor = Vendor::start().await;
    vendor.meets(HOOK, [Whim::Reject(404, "no_service")]);
    let mut bench = Bench::new(vec![vendor.slack()]);
    bench.add(vec![open(1, "slack")]).await;
    assert_eq!(bench.until_failed(1).await, FailureReason::Gone);
    bench.add(vec![open(2, "slack")]).await;
    bench.stop().await;
    assert_eq!(vendor.seen(HOOK).len(), 1);
    assert_eq!(bench.journal.undelivered().await.unwrap().count, 2);

    bench.start(vec![vendor.slack()]);
    bench.until_delivered(1).await;
    bench.until_delivered(2).await;
}

#[tokio::test]
async fn a_schedule_that_ends_makes_a_dead_letter_that_can_be_revived() {
    let vendor = Vendor::start().await;
    vendor.meets(HOOK, vec![Whim::Refuse(503, None); 2]);
    let schedule = Schedule {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(1),
        longest_asked: Duration::ZERO,
        give_up_after: Duration::ZERO,
    };
    let bench = Bench::with_schedule(vec![vendor.slack()], schedule);
    bench.add(vec![open(1, "slack")]).await;
    let dead = |d: &[Delivery]| matches!(d[0].state, DeliveryState::Dead { .. });
    let deliveries = bench.until(1, dead).await;
    assert_eq!(deliveries[0].attempts, 1);

    // Refused once more, then made.
    let revive = async || {
        let revived = bench
            .journal
            .revive(deliveries[0].id, crate::clock::wall())
            .await;
        assert!(revived.unwrap());
    };
    revive().await;
    bench.until(1, |d| d[0].attempts == 2 && dead(d)).await;
    revive().await;
    bench.until_delivered(1).await;
}

#[tokio::test]
async fn deliveries_repeats_and_what_waits_are_counted_without_names() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = ::metrics::set_default_local_recorder(&recorder);
    let vendor = Vendor::start().await;
    vendor.meets(HOOK, [Whim::Refuse(500, None)]);
    vendor.meets(TICKETS, [Whim::Reject(400, "")]);
    let bench = Bench::new(vec![vendor.zendesk(), vendor.slack()]);
    bench
        .add(vec![
            open(1, "zendesk"),
            open(2, "slack"),
            open(2, "nobody"),
        ])
        .await;
    bench
        .until(1, |d| matches!(d[0].state, DeliveryState::Dead { .. }))
        .await;
    bench.until(2, |d| receipt(&d[0]).is_some()).await;

    let shown = recorder.handle().render();
    for line in [
        r#"handoff_deliveries_total{sink_kind="zendesk",result="dead"} 1"#,
        r#"handoff_deliveries_total{sink_kind="slack",result="delivered"} 1"#,
        r#"handoff_delivery_retries_total{sink_kind="slack",reason="broken"} 1"#,
        "handoff_undelivered ",
        "handoff_oldest_undelivered_seconds ",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[tokio::test]
async fn a_delivery_to_an_address_that_refuses_waits() {
    let vendor = Vendor::start().await;
    let (zendesk, slack) = (vendor.zendesk(), vendor.slack());
    drop(vendor);
    let mut bench = Bench::new(vec![zendesk, slack]);
    bench.add(vec![open(1, "slack")]).await;
    assert_eq!(bench.until_failed(1).await, FailureReason::Unreachable);
    bench.stop().await;
    assert_eq!(bench.journal.undelivered().await.unwrap().count, 1);
}
