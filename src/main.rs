//! The executable: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    without_desktop();
    ExitCode::from(keisoku::cli::main(std::env::args_os()))
}

/// Starts again with Mesa's device-select layer switched off, where there is no desktop session: a batch job, cron, a container.
///
/// The layer puts the GPU that shows the desktop first and asks Wayland for it, because wgpu always enables Wayland's surfaces; without a
/// session libwayland then complains on standard error, once for every look at the adapters. A program cannot change its own environment
/// without `unsafe`, so this process becomes another one with the layer's own switch set. Who chooses devices through the layer keeps it.
#[cfg(target_os = "linux")]
fn without_desktop() {
    use std::os::unix::process::CommandExt;
    let given = |name: &str| std::env::var_os(name).is_some();
    let session = std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|path| std::path::Path::new(&path).is_absolute());
    if session || ["NODEVICE_SELECT", "MESA_VK_DEVICE_SELECT", "DRI_PRIME"].into_iter().any(given) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // It returns only where it fails, and all that is lost then is silence.
    let _ = again.args(arguments).env("NODEVICE_SELECT", "1").exec();
}
