//! `GET /metrics`, on the port of the services.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State as From;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::text::{CONTENT_TYPE, Kind, Text};
use super::{capture, engine, learning, model, outlook, planner};
use crate::auth::Auth;
use crate::grpc::State;

/// The page, behind the same token as the services.
pub(crate) fn routes(state: &Arc<State>, auth: &Auth) -> Router {
    let shared = (Arc::clone(state), auth.clone());
    Router::new()
        .route("/metrics", get(answer))
        .with_state(shared)
}

async fn answer(From((state, auth)): From<(Arc<State>, Auth)>, headers: HeaderMap) -> Response {
    let shown = headers.get(header::AUTHORIZATION);
    match auth.check(shown.and_then(|value| value.to_str().ok())) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], page(&state)).into_response(),
        Err(why) => {
            let asks = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, asks, format!("{why}\n")).into_response()
        }
    }
}

fn page(state: &State) -> String {
    let mut text = Text::default();
    let now = state.intake.now();
    engine::write(&mut text, state, now);
    if let Some(outlooks) = &state.outlooks {
        outlook::write(&mut text, outlooks);
    }
    if let Some(planning) = &state.planning {
        planner::write(&mut text, planning);
    }
    if let Some(report) = state.capture.as_ref().and_then(|capture| capture.report()) {
        capture::write(&mut text, &report);
    }
    let learning = state
        .models
        .as_ref()
        .and_then(|kept| kept.learning.as_ref());
    if let Some(status) = learning {
        learning::write(&mut text, &status.now(), now);
    }
    if let Some(inference) = &state.inference {
        text.single(
            "forestall_inference_unknown_total",
            Kind::Counter,
            "Requests to models or versions that are not in the repository.",
            inference.unknown.load(Ordering::Relaxed) as f64,
        );
        inference
            .repository
            .with_rows(|rows| model::write(&mut text, rows));
    }
    text.finish()
}
