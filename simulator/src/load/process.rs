//! What the kernel says about another process: CPU time and resident memory.

use std::time::Duration;

/// `/proc` counts CPU time in ticks; Linux has shown user space 100 of them a second for decades.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process and its threads have used.
///
/// # Errors
/// The process does not exist or `/proc` is not Linux's.
pub fn cpu_time(pid: u32) -> std::io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_cpu_ticks(&stat)
        .map(|ticks| TICK * ticks)
        .ok_or_else(malformed)
}

/// Fields 14 and 15 of `/proc/PID/stat` (proc(5)); the name in field 2 may contain anything.
fn parse_cpu_ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory in KiB.
///
/// # Errors
/// The process does not exist or `/proc` is not Linux's.
pub fn resident_kib(pid: u32) -> std::io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    parse_resident(&status).ok_or_else(malformed)
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Model of the first processor, for the report.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(
        || "unknown processor".to_owned(),
        |(_, name)| name.trim().to_owned(),
    )
}

fn malformed() -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        "not in the format of /proc",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 200";
        assert_eq!(parse_cpu_ticks(stat), Some(300));
        assert_eq!(parse_cpu_ticks("42 (a"), None);
    }

    #[test]
    fn resident_memory_is_read_from_status() {
        assert_eq!(
            parse_resident("Name:\tx\nVmRSS:\t    8124 kB\nThreads:\t3\n"),
            Some(8124)
        );
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_read() {
        assert!(resident_kib(std::process::id()).unwrap() > 0);
        cpu_time(std::process::id()).unwrap();
    }
}
