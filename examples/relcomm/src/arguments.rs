//! The command line.

use crate::deployment::ChannelKinds;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Release communications: check a plan, prepare every text, have it approved, declare success, dispatch, and report who was informed.
#[derive(Debug, Parser)]
#[command(name = "relcomm", version, max_term_width = 110, after_help = AFTER)]
pub struct Arguments {
    /// Log level on standard error.
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    pub log: LogLevel,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What somebody wants to know who has only this.
const AFTER: &str = "\
Begin with `relcomm deliver PLAN`: without --channels nothing leaves the machine.
Exit codes: 0 informed, or done; 1 the tool failed; 2 invalid; 3 refused, or an approval is missing; 4 somebody is not informed;
5 pending.";

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What somebody should look at.
    #[default]
    Warn,
    /// What is done.
    Info,
    /// How it is done.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// Findings as annotations of a pull request; reports as Markdown.
    Github,
}

/// How a rehearsal is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RehearsalFormat {
    /// The timeline, and what is otherwise than expected.
    #[default]
    Text,
    /// For programs, with the report.
    Json,
    /// As CI systems read test results.
    Junit,
}

/// The languages that have a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Of plans.
    #[default]
    Plan,
    /// Of the scripts of rehearsals.
    Rehearsal,
}

/// What every verb that reads a plan takes.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The plan (YAML, TOML or JSON) or a bundle made by `prepare --bundle`.
    #[arg(value_name = "PLAN|BUNDLE")]
    pub plan: PathBuf,
    /// Sets a parameter of the plan.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// The deployment's channels: with them the verb is live. Without them it is the sandbox, where nothing leaves the machine.
    #[arg(long, value_name = "FILE")]
    pub channels: Option<PathBuf>,
    /// Where the journal is (`file:PATH`); it wins over the one that the channels file names. In the sandbox it lies beside the plan:
    /// PLAN.sandbox.db.
    #[arg(long, value_name = "URL")]
    pub journal: Option<String>,
    /// Makes the journal, or its record of this plan and version, where there is none. Live, only for the first time: a lost journal
    /// must not tell everyone twice.
    #[arg(long)]
    pub new_journal: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The kinds of channel that the channels file may name. Not of the command line: see [`Arguments::channel_kinds`].
    #[arg(skip)]
    pub kinds: ChannelKinds,
}

impl Arguments {
    /// With these kinds of channel instead of the standard ones.
    #[must_use]
    pub fn channel_kinds(mut self, kinds: ChannelKinds) -> Self {
        if let Some(common) = self.verb.common_mut() {
            common.kinds = kinds;
        }
        self
    }
}

impl Verb {
    /// What surrounds the plan, for verbs that read one.
    fn common_mut(&mut self) -> Option<&mut Common> {
        match self {
            Self::Schema { .. } | Self::Rehearse { .. } | Self::Explain { .. } | Self::Contract { .. } => None,
            Self::Validate { common, .. }
            | Self::Prepare { common, .. }
            | Self::Verify { common }
            | Self::Approve { common, .. }
            | Self::Declare { common, .. }
            | Self::Dispatch { common, .. }
            | Self::Tasks { common, .. }
            | Self::Attest { common, .. }
            | Self::AcceptGap { common, .. }
            | Self::Slip { common, .. }
            | Self::Lift { common, .. }
            | Self::Erase { common, .. }
            | Self::Receipts { common, .. }
            | Self::Status { common, .. }
            | Self::Audit { common, .. }
            | Self::Report { common, .. }
            | Self::Deliver { common, .. } => Some(common),
            Self::Hold(person) | Self::Resume(person) | Self::Cancel(person) | Self::Retry { of: person, .. } => {
                Some(&mut person.common)
            }
        }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Prints the JSON Schema of the plan language, or of rehearsals.
    Schema {
        /// Of which language.
        #[arg(long, value_enum, default_value_t)]
        of: Language,
    },
    /// Says all that is wrong with a plan.
    Validate {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Lists each default that was used, too.
        #[arg(short, long)]
        verbose: bool,
        /// An earlier plan or bundle: texts that are still word for word its own are found.
        #[arg(long, value_name = "OLD")]
        against: Option<PathBuf>,
    },
    /// Prints the page of a finding's code: why it matters, how to mend it, and a plan that shows it. Without a code it lists them all.
    Explain {
        /// The code, such as RC0101.
        code: Option<String>,
        /// How the result is printed.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Judges a channel that is a program by the contract of channels: 0 if it keeps it, 4 if a clause is broken.
    Contract {
        /// Puts this variable of the environment into the program's; its value counts as a secret.
        #[arg(long, value_name = "NAME")]
        env: Vec<String>,
        /// Only this clause, by its name or number such as `c08`.
        #[arg(long, value_name = "CLAUSE")]
        clause: Vec<String>,
        /// How the result is printed.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The program and its arguments: the last option, since whatever follows belongs to the program.
        #[arg(long, value_names = ["PROGRAM", "ARGS"], num_args = 1.., required = true, allow_hyphen_values = true)]
        exec: Vec<String>,
    },
    /// Renders and checks every text; sends nothing.
    Prepare {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Writes every text into this directory, for reading.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Writes the bundle: the sealed plan, which every later verb takes in the plan's place.
        #[arg(long, value_name = "FILE")]
        bundle: Option<PathBuf>,
        /// Who prepares; stands in the bundle.
        #[arg(long)]
        by: Option<String>,
    },
    /// Plays the plan in virtual time, with far sides and people that a script makes up. No network, no waiting. Exits with 4 if an
    /// expectation does not hold.
    Rehearse {
        /// The plan (YAML, TOML or JSON).
        plan: PathBuf,
        /// A script (YAML, TOML or JSON); may be given several times. Without one: everybody answers, and the release succeeds.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        script: Vec<PathBuf>,
        /// Sets a parameter of the plan.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// How the result is printed.
        #[arg(long, value_enum, default_value_t)]
        format: RehearsalFormat,
    },
    /// Checks the channels: configuration, connection, authentication. Nothing is sent.
    Verify {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
    },
    /// Approves what is prepared, or rejects it.
    Approve {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Who approves.
        #[arg(long)]
        by: String,
        /// In which role.
        #[arg(long)]
        role: String,
        /// The digest that was read; refused if it is not the present one.
        #[arg(long)]
        digest: Option<String>,
        /// Rejects instead.
        #[arg(long)]
        reject: bool,
        /// In which words.
        #[arg(long)]
        note: Option<String>,
    },
    /// Declares how the release went at a place.
    Declare {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// The place; needed where there are several.
        #[arg(long)]
        place: Option<String>,
        /// How it went: begun, success, failure, halted, rolled-back.
        #[arg(long)]
        outcome: String,
        /// Who declares.
        #[arg(long)]
        by: String,
        /// What shows it; demanded live.
        #[arg(long)]
        proof: Option<String>,
        /// As of when (RFC 3339), if not now.
        #[arg(long)]
        at: Option<String>,
        /// What it came of, for texts that say `declaration.cause`.
        #[arg(long)]
        cause: Option<String>,
    },
    /// Sends what is due now.
    Dispatch {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Goes on until nothing is pending.
        #[arg(long)]
        wait: bool,
        /// Really sends, when live; without it the verb prints what it would send.
        #[arg(long)]
        execute: bool,
        /// Who executes; recorded. Needed where the plan asks who executes.
        #[arg(long)]
        by: Option<String>,
        /// Exits with 0 though something is pending.
        #[arg(long)]
        pending_ok: bool,
    },
    /// Lists what people must do by hand.
    Tasks {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Shows what people are called, and their numbers and addresses, too. A build's log is no place for them.
        #[arg(long)]
        contacts: bool,
    },
    /// Says that something was done by hand, or that it failed.
    #[command(group = ArgGroup::new("whom").required(true))]
    Attest {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// The communique.
        #[arg(long)]
        communique: String,
        /// To whom.
        #[arg(long, group = "whom")]
        person: Option<String>,
        /// To every member of this group.
        #[arg(long, group = "whom")]
        group: Option<String>,
        /// At which place; has to be said where it is out to them at several.
        #[arg(long)]
        place: Option<String>,
        /// Whether it was done: done, failed.
        #[arg(long, value_enum)]
        outcome: Attested,
        /// What that proves; acknowledged unless said, and never more than the channel of what is out can prove: of a mail not more than
        /// delivered.
        #[arg(long)]
        assurance: Option<String>,
        /// Who says so.
        #[arg(long)]
        by: String,
        /// In which words.
        #[arg(long)]
        note: Option<String>,
    },
    /// Holds everything that is not out yet, or one communique.
    Hold(Person),
    /// Lets what is held go on.
    Resume(Person),
    /// Cancels everything that is not out yet, or one communique, for good.
    Cancel(Person),
    /// Has whoever nobody has reached tried once more, from the first step on: when a relay is mended, or an address was corrected and the
    /// plan prepared again. The next `dispatch` tries them.
    Retry {
        /// Who says so, of what.
        #[command(flatten)]
        of: Person,
        /// Only this person, by their id.
        #[arg(long)]
        person: Option<String>,
    },
    /// Accepts that somebody who must be informed cannot be reached. Nothing goes out before every such gap is accepted.
    #[command(group = ArgGroup::new("whose").required(true))]
    AcceptGap {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// The person, by their id.
        #[arg(long, group = "whose")]
        person: Option<String>,
        /// Everyone of this company who cannot be reached; or the company, where one of each must be informed.
        #[arg(long, group = "whose")]
        company: Option<String>,
        /// Why they may go without.
        #[arg(long)]
        why: String,
        /// Who accepts it.
        #[arg(long)]
        by: String,
    },
    /// Says that the planned time moved. What is out stays out; exactly those who heard the old time hear of it.
    Slip {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// To when: a date and time such as `2027-05-12T07:00+02:00`, without an offset in the plan's zone, or `open`.
        #[arg(long, value_name = "TIME|open")]
        planned: String,
        /// Who says so.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        why: Option<String>,
    },
    /// Lifts the embargo: what was classified may be known from now on.
    Lift {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Why it may be known now.
        #[arg(long)]
        cause: String,
        /// Who lifts it.
        #[arg(long)]
        by: String,
    },
    /// Erases a person from the record: entries, totals and the seal stay, and reports show them by a number.
    Erase {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// The person, by their id.
        #[arg(long)]
        person: String,
        /// Who erases.
        #[arg(long)]
        by: String,
    },
    /// Reads receipts in.
    Receipts {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// From where: `maildir:DIR`; `callbacks:FILE`, JSON lines with `mechanism`, `headers`, `body` and `at`, the instant when the call
        /// came (without it, the present: signatures are valid for five minutes); or `-` for one mail on standard input.
        #[arg(long, value_name = "SOURCE")]
        from: String,
        /// Goes on reading.
        #[arg(long)]
        watch: bool,
    },
    /// Says where the dispatch stands.
    Status {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Exits with 0 though something is pending.
        #[arg(long)]
        pending_ok: bool,
    },
    /// Says who was informed and who was not.
    Report {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Hides people.
        #[arg(long)]
        redact: bool,
        /// Exits with 0 though something is pending.
        #[arg(long)]
        pending_ok: bool,
    },
    /// Checks that the record is intact: the seal over all entries, and that every state is what its entries come to.
    Audit {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// The head that an earlier report printed: the record must end with it.
        #[arg(long, value_name = "DIGEST")]
        head: Option<String>,
    },
    /// The main job in one go: prepare, approve, declare, dispatch, report. In the sandbox unless there are channels.
    Deliver {
        /// The plan and its surroundings.
        #[command(flatten)]
        common: Common,
        /// Really sends, when live.
        #[arg(long)]
        execute: bool,
        /// Who declares success, and executes; needed live.
        #[arg(long)]
        by: Option<String>,
        /// What shows it; needed live.
        #[arg(long)]
        proof: Option<String>,
        /// Exits with 0 though something is pending.
        #[arg(long)]
        pending_ok: bool,
    },
}

/// A person's input about everything or one communique.
#[derive(Debug, Args)]
pub struct Person {
    /// The plan and its surroundings.
    #[command(flatten)]
    pub common: Common,
    /// Only this communique.
    #[arg(long)]
    pub communique: Option<String>,
    /// Who says so.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long)]
    pub why: Option<String>,
}

/// What an attestation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Attested {
    /// It was done.
    Done,
    /// It failed.
    Failed,
}
