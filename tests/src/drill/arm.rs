//! An executor that writes each order down when it has carried it out, before it answers; and carries out whatever it is told,
//! twice too: whoever reads the file sees it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use remedy::order::{Answer, Order};
use series::Timestamp;

/// The executor.
#[derive(Debug)]
pub(crate) struct Arm {
    path: PathBuf,
    /// Whether it cannot tell what became of an order.
    is_mute: bool,
}

impl Arm {
    pub(crate) fn new(folder: &Path, is_mute: bool) -> Self {
        let path = folder.join("done");
        Self { path, is_mute }
    }

    pub(crate) fn carry_out(&self, order: &Order, now: Timestamp) -> Answer {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&self.path)
            .unwrap();
        let line = serde_json::json!({ "at": now, "order": order });
        // One write: it is there or it is not.
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
        file.sync_all().unwrap();
        Answer::Done {
            said: "done".to_owned(),
        }
    }

    /// What became of an order; `None` when it cannot tell.
    pub(crate) fn ask(&self, order: &Order) -> Option<Answer> {
        let was_done = self.orders().iter().any(|done| done.key == order.key);
        let answer = match was_done {
            true => Answer::Done {
                said: "done before".to_owned(),
            },
            false => Answer::Failed {
                said: "it never came".to_owned(),
            },
        };
        (!self.is_mute).then_some(answer)
    }

    /// All that it carried out.
    pub(crate) fn orders(&self) -> Vec<Order> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let orders = text.lines().map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            serde_json::from_value(line["order"].take()).unwrap()
        });
        orders.collect()
    }
}
