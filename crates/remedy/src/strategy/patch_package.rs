//! Brings a package to the version that mends it.

use super::draft::{gone, may_change_in_place, one_of, package_word, plain, step};
use super::{Authority, Case, Draft, Effect, Reversibility, Step, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, EntityId};

/// Brings a package to the version that mends it, and back if that breaks something.
///
/// Whoever has it loaded is restarted by the package manager or by the executor, as `needrestart` does: a library that is
/// mended on disk only is not mended. That is why [`Action::SetPackage`] interrupts.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "patch_package",
    about: "bring a package with a known vulnerability to the version that mends it",
    classes: &[Class::Vulnerability],
    reversibility: Reversibility::Reversible,
    authority: Authority::Owner,
    cost_min: 5.0,
    duration_s: 180.0,
    prior: [9.0, 1.0],
    harm: 0.03,
    fallbacks: &["quarantine", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    if case.warns("stateful") {
        return Err(Unfit::because(format!(
            "{} keeps data in place, which a newer version may write so that the old one cannot read them",
            place(case)
        )));
    }
    let patch = Patch::of(case)?;
    Ok(Draft {
        because: patch.because(case),
        fit: if patch.is_small() { 0.9 } else { 0.65 },
        effect: patch.effect,
        steps: vec![patch.step],
        capacity_away: one_of(case.count("pool_hosts").unwrap_or(1)),
    })
}

/// Where the package is installed: a package is named `target:package`, and it is the host that gets it.
fn place(case: &Case) -> &EntityId {
    case.around.host.as_ref().unwrap_or(&case.entity)
}

/// A change of version.
pub(super) struct Patch<'a> {
    pub(super) step: Step,
    pub(super) effect: Effect,
    installed: &'a str,
    fixed: &'a str,
}

impl<'a> Patch<'a> {
    /// From what is installed to what mends it.
    ///
    /// # Errors
    /// When either is not known, or no change in place lasts.
    pub(super) fn of(case: &'a Case) -> Result<Self, Unfit> {
        may_change_in_place(case)?;
        let package = package_word(case, "package")?;
        let installed = package_word(case, "installed")?;
        let fixed = package_word(case, "fixed")?;
        if installed == fixed {
            return Err(Unfit::because(format!(
                "{package} {fixed} is installed already"
            )));
        }
        let set = Action::SetPackage {
            target: place(case).clone(),
            package: package.to_owned(),
            from: installed.to_owned(),
            to: fixed.to_owned(),
        };
        // Scanners look once an hour or so; the executor asks for a look right after.
        let effect = gone(case, 3600.0);
        Ok(Self {
            step: step(set, 900.0),
            effect,
            installed,
            fixed,
        })
    }

    /// Whether the first number of the version stays: then little else should change.
    pub(super) fn is_small(&self) -> bool {
        let major = |version: &'a str| version.split(['.', '-', '+', '~']).next();
        major(self.installed) == major(self.fixed)
    }

    /// Why, for people.
    pub(super) fn because(&self, case: &Case) -> String {
        let id = plain(case.fact("id").unwrap_or("the vulnerability"));
        format!("{id} is mended in {}", self.fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_goes_from_what_is_installed_to_what_mends_it() {
        let drafted = |fixed, more| {
            let facts = [
                ("package", "openssl"),
                ("installed", "3.0.11-1"),
                ("fixed", fixed),
                more,
            ];
            let mut case = with("package/web-1:openssl", Class::Vulnerability, 9.1, &facts);
            case.around.host = Some("host/web-1".parse().unwrap());
            draft(&case)
        };
        let draft = drafted("3.0.13-1", ("", "")).unwrap();
        assert_eq!(
            draft.steps[0].action.to_string(),
            "bring openssl on host/web-1 from 3.0.11-1 to 3.0.13-1"
        );
        assert_eq!(
            draft.steps[0].inverse.as_ref().unwrap().to_string(),
            "bring openssl on host/web-1 from 3.0.13-1 to 3.0.11-1"
        );
        assert!(drafted("4.0.0-1", ("", "")).unwrap().fit < draft.fit);
        assert!(drafted("", ("", "")).unwrap_err().why.contains("`fixed`"));
        assert!(
            drafted("--allow-downgrades", ("", ""))
                .unwrap_err()
                .why
                .contains("no name")
        );
        assert!(drafted("3.0.13-1", ("stateful", "yes")).is_err());
        assert!(
            drafted("3.0.13-1", ("immutable", "yes"))
                .unwrap_err()
                .why
                .contains("image")
        );
    }
}
