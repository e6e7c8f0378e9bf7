//! What a traced run asks for and changes.

use crossterm::event::KeyCode;

use crate::attempt::Traced;
use crate::report::Outcome;
use crate::tui::action::ActionId;
use crate::tui::action::footer;
use crate::tui::action::is_enabled;
use crate::tui::effect::Effect;
use crate::tui::fixture::Scene;
use crate::tui::fixture::missing;
use crate::tui::fixture::report;
use crate::tui::fixture::shrink;
use crate::tui::fixture::traced;
use crate::tui::msg::JobId;
use crate::tui::msg::Msg;
use crate::workshop::Trouble;

fn job(scene: &Scene) -> JobId {
    scene.model.tracing.as_ref().expect("it runs").id
}

fn end(scene: &mut Scene, image: &str, result: Result<Traced, Trouble>) {
    let job = job(scene);
    scene.tell(Msg::Traced {
        job,
        image: image.to_owned(),
        result: result.map(Box::new),
    });
}

fn shown(scene: &Scene) -> Option<&Result<Box<Traced>, Trouble>> {
    scene.model.bench().expect("it is open").traced.as_ref()
}

#[test]
fn the_image_of_the_last_report_is_run_and_its_lines_are_named() {
    let mut scene = Scene::traceable(Outcome::Failed);
    assert!(footer(&scene.model).contains(&ActionId::Trace));
    let effects = scene.char('r');
    let wanted = Effect::Trace {
        job: job(&scene),
        exercise: shrink(),
        image: "sha256:1".to_owned(),
        lines: vec![Some(6), Some(6), Some(7), Some(8)],
    };
    assert_eq!(effects, [wanted]);
    assert!(scene.char('r').is_empty(), "one at a time");
    end(&mut scene, "sha256:1", Ok(traced()));
    assert!(scene.model.tracing.is_none());
    let Some(Ok(traced)) = shown(&scene) else {
        panic!("it is shown");
    };
    let words = traced.touched.layers[2].created_by.as_deref();
    assert_eq!(
        words,
        Some("RUN apt-get update && apt-get install -y curl git")
    );
}

#[test]
fn it_is_offered_only_where_there_is_something_to_run() {
    let offered = |scene: &Scene| is_enabled(&scene.model, ActionId::Trace);
    assert!(offered(&Scene::traceable(Outcome::Passed)));
    assert!(
        !offered(&Scene::traceable(Outcome::BuildFailed)),
        "no image"
    );
    let mut scene = Scene::ended(Outcome::Passed);
    scene.char('3');
    assert!(!offered(&scene), "no goal runs it");
    let mut scene = Scene::traceable(Outcome::Passed);
    scene.char('2');
    assert!(!offered(&scene), "on the result alone");
    scene.char('3');
    scene.tell(Msg::Engine(missing()));
    assert!(!offered(&scene), "no engine");
}

#[test]
fn a_traced_run_is_stopped_by_x_by_ctrl_c_and_by_leaving() {
    let stops: [fn(&mut Scene) -> Vec<Effect>; 3] = [
        |scene| scene.char('x'),
        |scene| scene.ctrl('c'),
        |scene| scene.tell(Msg::Terminate),
    ];
    for stop in stops {
        let mut scene = Scene::traceable(Outcome::Failed);
        scene.char('r');
        let cancel = Effect::Cancel(job(&scene));
        assert!(stop(&mut scene).contains(&cancel));
        assert!(!scene.char('x').contains(&cancel), "asked once");
        end(&mut scene, "sha256:1", Err(Trouble::new("cancelled")));
        assert!(shown(&scene).is_none() && scene.model.tracing.is_none());
    }
}

#[test]
fn what_came_of_an_older_image_or_an_older_job_is_dropped() {
    let mut scene = Scene::traceable(Outcome::Failed);
    scene.char('r');
    end(&mut scene, "sha256:0", Ok(traced()));
    assert!(shown(&scene).is_none());
    scene.tell(Msg::Traced {
        job: JobId(99),
        image: "sha256:1".to_owned(),
        result: Ok(Box::new(traced())),
    });
    assert!(shown(&scene).is_none());
    scene.char('r');
    end(&mut scene, "sha256:1", Ok(traced()));
    assert!(shown(&scene).is_some());
    // A new image knows nothing of it.
    scene.key(KeyCode::Enter);
    scene.char('b');
    scene.attempt(vec![crate::attempt::AttemptEvent::Finished(Box::new(
        report(Outcome::Passed),
    ))]);
    assert!(shown(&scene).is_none());
}

#[test]
fn a_refusal_is_kept_for_the_screen() {
    let mut scene = Scene::traceable(Outcome::Failed);
    scene.char('r');
    let trouble = Trouble::new("the engine runs without root");
    end(&mut scene, "sha256:1", Err(trouble.clone()));
    assert_eq!(shown(&scene), Some(&Err(trouble)));
}
