//! Inputs that are too large to be kept: made here, each with its mark.

use crate::case::{Case, good_case};

/// Every one of them.
pub(crate) fn all() -> Vec<Case> {
    let mut all = vec![
        alone("Aliases of aliases would make a billion values.", "yaml", &bomb()),
        alone("The lists lie ten thousand deep.", "yaml", &format!("plan: {}«[{}", "[".repeat(64), "[".repeat(10_000))),
        alone(
            "The lists lie ten thousand deep.",
            "toml",
            &format!("plan = {}«[{}", "[".repeat(80), "[".repeat(10_000)),
        ),
        alone(
            "The lists lie ten thousand deep.",
            "json",
            &format!("{}«[{}{}", "[".repeat(64), "[".repeat(10_000), "]".repeat(10_065)),
        ),
        alone("The file is larger than any plan.", "yaml", &format!("«# {}\nplan: 1\n", "x".repeat(17 << 20))),
        alone("The file is larger than any plan.", "json", &format!("«{{ \"plan\": \"{}\" }}", "x".repeat(17 << 20))),
        row_4711(),
        dangling(),
        chain(),
    ];
    for (format, head, item, tail) in [
        ("yaml", "plan: [", "1, ", "]\n"),
        ("toml", "plan = [", "1, ", "]\n"),
        ("json", "{ \"plan\": [", "1, ", "1] }\n"),
    ] {
        // The map, its value where the format counts it, and the items before the mark make up what a file may hold.
        let fit = 200_000 - if format == "yaml" { 3 } else { 1 } - usize::from(format == "json");
        let text = format!("{head}{}«{item}{}{tail}", item.repeat(fit), item.repeat(50_000));
        all.push(alone("The file holds more values than any plan.", format, &text));
    }
    all
}

fn alone(sentence: &str, format: &str, text: &str) -> Case {
    Case::alone(sentence, "size", &format!("plan.{format}"), text.as_bytes())
}

fn bomb() -> String {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let before = format!("*a{}", i - 1);
        // The second alias of the sixth line is where the plan would hold more than two hundred thousand values.
        let second = if i == 5 { format!("«{before}") } else { before.clone() };
        let rest = vec![before.clone(); 7].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{before}, {second}, {rest}]\n"));
    }
    bomb
}

/// Two hundred findings are enough, though every communique goes to a group that there is not.
fn dangling() -> Case {
    let communiques: String = (1..1_000)
        .map(|i| format!("  c{i}: {{ {}to: stafff, text: Live }}\n", if i <= 200 { "«" } else { "" }))
        .collect();
    alone(
        "A thousand communiques are for a group that the plan does not have.",
        "yaml",
        &(FEW.to_owned() + &communiques),
    )
}

/// What refers to each other is looked up among all, so that there is a bound for them.
fn chain() -> Case {
    let communiques: String =
        (1..5_000).map(|i| format!("  c{i}: {{ to: staff, after: c{} accepted }}\n", i - 1)).collect();
    let plan = FEW.replace("communiques:", "«communiques:") + &communiques;
    alone("Five thousand communiques wait for each other in a row.", "yaml", &plan)
}

const FEW: &str = "plan: 1
zone: UTC
release: { product: Anvil, version: 2.0.0, what: All, why: Asked for, how: Open it }
responsible: Ada Osei <ada@anvil.example>
groups:
  staff: { email: all@anvil.example }
communiques:
  c0: { to: staff, text: '{{ release.what | length }}' }
";

/// Ten thousand customers, one of whom lacks half their row.
fn row_4711() -> Case {
    let mut case = good_case("yaml");
    case.sentence = "One row of ten thousand is cut in two.".to_owned();
    case.kind = "size".to_owned();
    let mut members = "CONTACT,NAME,MAIL,PHONE,REGION\n".to_owned();
    for line in 2..10_000 {
        members.push_str(&match line {
            4711 => "«cho-4711,Cho\n".to_owned(),
            line => format!("cho-{line},Cho Lee,cho-{line}@client.example,+41445{line:06},eu\n"),
        });
    }
    case.add("members.csv", members.as_bytes());
    case
}
