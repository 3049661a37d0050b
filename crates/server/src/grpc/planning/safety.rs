//! `SafetyService`.

use std::sync::Arc;

use ledger::{Cursor, Page};
use proto::v1;
use proto::v1::safety_service_server::SafetyService;
use remedy::planner::{Command, Reply};
use remedy::strategy::STRATEGIES;
use tonic::{Request, Response, Status};

use super::{Call, command, not_done, not_read, planning, read, rules, write};
use crate::grpc::State;
use crate::planning::Planning;

pub(in crate::grpc) struct Safety(pub(in crate::grpc) Arc<State>);

fn brake_of(reply: &Reply) -> Option<v1::Brake> {
    match reply {
        Reply::Brake(brake) => Some(write::brake(brake)),
        Reply::Issue(..) | Reply::Plan(_) => None,
    }
}

/// Refuses to release the brake while its file is there, which would engage it again within a second.
fn refuse_under_file(planning: &Planning) -> Result<(), Status> {
    let file = planning.brake_file.as_ref().filter(|file| file.exists());
    match file {
        None => Ok(()),
        Some(file) => Err(Status::failed_precondition(format!(
            "the brake file {} is there, and would engage it again: remove the file",
            file.display()
        ))),
    }
}

#[tonic::async_trait]
impl SafetyService for Safety {
    async fn get_safety(
        &self,
        _: Request<v1::GetSafetyRequest>,
    ) -> Result<Response<v1::GetSafetyResponse>, Status> {
        let planning = planning(&self.0)?;
        let status = planning.board.status();
        let people = planning.people.authorities();
        Ok(Response::new(v1::GetSafetyResponse {
            phase: status.phase.name().to_owned(),
            brake: Some(write::brake(&status.brake)),
            storm: status.storm.unwrap_or_default(),
            executor: planning.executor.clone(),
            max_actions_per_target: planning.settings.actions_per_target,
            max_actions_per_hour: planning.settings.actions_per_hour,
            ledger: planning.ledger.location().to_string(),
            ledger_error: status.trouble.unwrap_or_default(),
            audit_seq: status.head.seq,
            audit_hash: status.head.hash.to_string(),
            people: people
                .iter()
                .map(|(name, authority)| (name.clone(), authority.name().to_owned()))
                .collect(),
            findings_count: status.counts.findings,
            refused_count: status.counts.refused + planning.mailbox.n_dropped(),
            decisions_count: status.counts.decisions,
            executor_url: planning.executor_url.clone(),
            ..rules::of(&planning.settings)
        }))
    }

    async fn engage_brake(
        &self,
        request: Request<v1::EngageBrakeRequest>,
    ) -> Result<Response<v1::EngageBrakeResponse>, Status> {
        let inner = request.get_ref();
        let call = Call {
            method: "EngageBrake",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let what = Command::Brake {
            reason: inner.reason.clone(),
        };
        let answer = |reply: &_| v1::EngageBrakeResponse {
            brake: brake_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn release_brake(
        &self,
        request: Request<v1::ReleaseBrakeRequest>,
    ) -> Result<Response<v1::ReleaseBrakeResponse>, Status> {
        refuse_under_file(planning(&self.0)?)?;
        let inner = request.get_ref();
        let call = Call {
            method: "ReleaseBrake",
            actor: &inner.actor,
            request_id: &inner.request_id,
        };
        let what = Command::Release {
            reason: inner.reason.clone(),
        };
        let answer = |reply: &_| v1::ReleaseBrakeResponse {
            brake: brake_of(reply),
        };
        command(&self.0, &request, call, what, answer)
            .await
            .map(Response::new)
    }

    async fn get_health(
        &self,
        request: Request<v1::GetHealthRequest>,
    ) -> Result<Response<v1::GetHealthResponse>, Status> {
        let planning = planning(&self.0)?;
        let now = planning.ask(remedy::planner::Planner::health).await;
        let mut response = write::health(&now.map_err(not_done)?);
        let n = request.get_ref().history_size.min(ledger::MAX_PAGE);
        if n > 0 {
            // The newest: as far back as so many points go.
            let until = self.0.clock.now();
            let back_us = f64::from(n) * planning.settings.health_every_s * 1e6;
            let since = until.plus_micros(-(back_us as i64));
            let past = planning.ledger.health(since, until, n).await;
            let past = past.map_err(|error| not_read(&error))?;
            response.history = past
                .iter()
                .map(|health| v1::HealthPoint {
                    time_us: health.at.micros(),
                    overall: health.overall,
                })
                .collect();
        }
        Ok(Response::new(response))
    }

    async fn get_statistics(
        &self,
        _: Request<v1::GetStatisticsRequest>,
    ) -> Result<Response<v1::GetStatisticsResponse>, Status> {
        let planning = planning(&self.0)?;
        let counted = planning.ledger.statistics().await;
        let counted = counted.map_err(|error| not_read(&error))?;
        let odds = planning
            .ask(|planner| STRATEGIES.map(|strategy| planner.odds(strategy)))
            .await;
        let odds = odds.map_err(not_done)?;
        let strategies = STRATEGIES.iter().zip(odds).map(|(strategy, odds)| {
            let verdicts = counted.verdicts.iter();
            let verdicts = verdicts
                .filter(|((name, _), _)| name == strategy.name)
                .map(|((_, verdict), n)| (verdict.name().to_owned(), *n));
            v1::StrategyStatistics {
                strategy: strategy.name.to_owned(),
                about: strategy.about.to_owned(),
                classes: strategy
                    .classes
                    .iter()
                    .map(|class| class.name().to_owned())
                    .collect(),
                success: odds.mean,
                deviation: odds.deviation,
                verdicts: verdicts.collect(),
            }
        });
        Ok(Response::new(v1::GetStatisticsResponse {
            strategies: strategies.collect(),
            issues: counted
                .issues
                .iter()
                .map(|((class, state), n)| (format!("{}/{}", class.name(), state.name()), *n))
                .collect(),
            plans: counted
                .plans
                .iter()
                .map(|(state, n)| (state.name().to_owned(), *n))
                .collect(),
        }))
    }

    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Result<Response<v1::ListAuditResponse>, Status> {
        let planning = planning(&self.0)?;
        let request = request.into_inner();
        let limit = read::size(request.page_size, 100)?;
        let entries = match request.subject.as_str() {
            "" => planning.ledger.audit(request.after_seq, limit).await,
            subject => {
                let page = Page {
                    from: Cursor::After(request.after_seq),
                    limit,
                };
                planning.ledger.audit_of([subject], page).await
            }
        };
        let entries = entries.map_err(|error| not_read(&error))?;
        Ok(Response::new(v1::ListAuditResponse {
            entries: entries.iter().map(write::entry).collect(),
        }))
    }
}
