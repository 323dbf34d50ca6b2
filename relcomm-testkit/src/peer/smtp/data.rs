//! The text after DATA: where it ends, and without its dot-stuffing (RFC 5321, 4.5.2).

/// Collects mail data up to `CRLF.CRLF`; nothing else ends it (a bare LF or CR before the dot is an attempt to smuggle
/// a second mail past the receiver).
#[derive(Debug)]
pub(super) struct DataCollector {
    at: At,
    data: Vec<u8>,
    octets: usize,
    limit: usize,
    line: usize,
    faults: DataFaults,
}

/// What was wrong with the data though it could be taken.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataFaults {
    pub(super) bare_newline: bool,
    pub(super) unstuffed_dot: bool,
    pub(super) long_line: bool,
    pub(super) nul: bool,
    pub(super) eight_bit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The CRLF of the DATA command counts as the first line end.
    LineStart,
    Dot,
    DotCr,
    Text,
    Cr,
}

/// Octets of a line without its CRLF (RFC 5321, 4.5.3.1.6).
const LONGEST_LINE: usize = 998;

impl DataCollector {
    /// Keeps at most `limit` octets; what goes beyond is counted and thrown away.
    pub(super) fn new(limit: usize) -> Self {
        Self { at: At::LineStart, data: Vec::new(), octets: 0, limit, line: 0, faults: DataFaults::default() }
    }

    /// Takes bytes until the end of the data; returns how many were used and whether the end was among them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (index, &byte) in bytes.iter().enumerate() {
            if self.step(byte) {
                return (index + 1, true);
            }
        }
        (bytes.len(), false)
    }

    /// Whether more than the limit came.
    pub(super) fn too_large(&self) -> bool {
        self.octets > self.limit
    }

    /// The data, and what was wrong with it.
    pub(super) fn finish(self) -> (Vec<u8>, DataFaults) {
        (self.data, self.faults)
    }

    fn step(&mut self, byte: u8) -> bool {
        match (self.at, byte) {
            (At::LineStart, b'.') => self.at = At::Dot,
            (At::Dot, b'\r') => self.at = At::DotCr,
            (At::DotCr, b'\n') => return true,
            (At::DotCr, other) => {
                self.faults.unstuffed_dot = true;
                self.push(b'\r');
                self.after_cr(other);
            }
            (At::Cr, other) => self.after_cr(other),
            (at, other) => {
                if at == At::Dot && other != b'.' {
                    self.faults.unstuffed_dot = true;
                }
                self.text(other);
            }
        }
        false
    }

    fn after_cr(&mut self, byte: u8) {
        if byte == b'\n' {
            self.push(byte);
            self.line = 0;
            self.at = At::LineStart;
        } else {
            self.faults.bare_newline = true;
            self.text(byte);
        }
    }

    fn text(&mut self, byte: u8) {
        self.push(byte);
        match byte {
            b'\r' => self.at = At::Cr,
            other => {
                self.at = At::Text;
                self.line += 1;
                self.faults.bare_newline |= other == b'\n';
                self.faults.nul |= other == 0;
                self.faults.eight_bit |= !other.is_ascii();
                self.faults.long_line |= self.line > LONGEST_LINE;
            }
        }
    }

    fn push(&mut self, byte: u8) {
        self.octets += 1;
        if self.octets <= self.limit {
            self.data.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DataCollector, DataFaults};

    fn collect(input: &[u8]) -> Option<(Vec<u8>, usize, DataFaults)> {
        let mut collector = DataCollector::new(10_000);
        let (used, ended) = collector.take(input);
        let (data, faults) = collector.finish();
        ended.then_some((data, used, faults))
    }

    #[test]
    fn a_lone_dot_right_after_data_ends_an_empty_mail() {
        let (data, used, _) = collect(b".\r\nMAIL").expect("the end was there");
        assert!(data.is_empty());
        assert_eq!(used, 3);
    }

    #[test]
    fn dots_are_unstuffed_once() {
        let (data, _, faults) = collect(b"..\r\n...x\r\n.\r\n").expect("the end was there");
        assert_eq!(data, b".\r\n..x\r\n");
        assert_eq!(faults, DataFaults::default());
    }

    #[test]
    fn nothing_but_crlf_dot_crlf_ends_the_data() {
        for smuggled in ["a\n.\r\n", "a\r\n.\n", "a\n.\n", "a\r.\r\n", "a\r\n.\rb", "a\r\n.\r\r\n", "a.\r\n"] {
            assert!(collect(smuggled.as_bytes()).is_none(), "{smuggled:?} ended the data");
            let whole = format!("{smuggled}\r\n.\r\n");
            let (_, used, _) = collect(whole.as_bytes()).expect("the true end was there");
            assert_eq!(used, whole.len(), "{smuggled:?}");
        }
    }

    #[test]
    fn the_end_is_found_wherever_the_packets_are_split() {
        let whole = b"x\r\n..y\r\n.\r\n";
        for split in 0..whole.len() {
            let (first, second) = whole.split_at(split);
            let mut collector = DataCollector::new(100);
            assert!(!collector.take(first).1);
            assert!(collector.take(second).1, "split at {split}");
            assert_eq!(collector.finish().0, b"x\r\n.y\r\n");
        }
    }

    #[test]
    fn faults_are_noticed() {
        let long = [&[b'x'; 999][..], b"\r\n.\r\n"].concat();
        assert!(collect(&long).expect("end").2.long_line);
        let just = [&[b'x'; 998][..], b"\r\n.\r\n"].concat();
        assert!(!collect(&just).expect("end").2.long_line);
        assert!(collect(b"a\nb\r\n.\r\n").expect("end").2.bare_newline);
        assert!(collect(b"a\rb\r\n.\r\n").expect("end").2.bare_newline);
        assert!(collect(b".a\r\n.\r\n").expect("end").2.unstuffed_dot);
        assert!(collect(b"\0\r\n.\r\n").expect("end").2.nul);
    }

    #[test]
    fn what_exceeds_the_limit_is_counted_and_dropped() {
        let mut collector = DataCollector::new(4);
        assert!(collector.take(b"12345\r\n.\r\n").1);
        assert!(collector.too_large());
        assert_eq!(collector.finish().0, b"1234");
    }
}
