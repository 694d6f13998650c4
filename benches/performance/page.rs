//! The page, made of the figures that were kept.

use std::{
    fmt::{self, Write as _},
    fs, io,
    path::Path,
};

use crate::{
    plot,
    section::{self, Claim, Section, Table},
};

const HEAD: &str = "# Performance

What the work costs, beside the limit or the peer. Made by `cargo bench --bench performance`, which fails where a figure is
above its limit; with the name of a part behind `--` that part is measured anew. The figures stand in
[docs/performance](performance). Processor time is compared rather than time that passes, as machines are shared.
";

/// Writes it, with the plots of all parts that ever ran.
pub(crate) fn write(parts: &[&str]) -> io::Result<()> {
    let mut page = String::from(HEAD);
    for section in parts.iter().filter_map(|part| Section::kept(part)) {
        for drawn in &section.plots {
            fs::write(section::folder().join(format!("{}.svg", drawn.name)), plot::svg(drawn))?;
        }
        add(&mut page, &section).expect("writing to a String never fails");
    }
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md"), page)
}

fn add(page: &mut String, section: &Section) -> fmt::Result {
    writeln!(page, "\n## {}\n", section.title)?;
    for paragraph in &section.text {
        writeln!(page, "{paragraph}\n")?;
    }
    writeln!(page, "`{}`, {}: {}.", section.command, section.date, section.machine)?;
    claims(page, &section.claims)?;
    for drawn in &section.plots {
        writeln!(page, "\n![{}](performance/{}.svg)", drawn.title, drawn.name)?;
    }
    section.tables.iter().try_for_each(|table| add_table(page, table))
}

fn claims(page: &mut String, claims: &[Claim]) -> fmt::Result {
    if claims.is_empty() {
        return Ok(());
    }
    let row = |claim: &Claim| {
        let measured = format!("{:.2}", claim.measured);
        let limit = claim.limit.clone();
        let mark = if claim.holds() { "" } else { ", **missed**" };
        let goal = claim.goal.map_or_else(|| "-".to_owned(), |goal| format!("{goal:.2}"));
        vec![claim.what.clone(), measured, format!("{:.2}{mark}", claim.most), goal, limit]
    };
    let columns = ["claim", "measured", "at most", "goal", "beside"].map(str::to_owned).to_vec();
    let rows = claims.iter().map(row).collect();
    add_table(page, &Table { caption: String::new(), columns, rows })
}

fn add_table(page: &mut String, table: &Table) -> fmt::Result {
    page.push('\n');
    if !table.caption.is_empty() {
        writeln!(page, "**{}**\n", table.caption)?;
    }
    writeln!(page, "| {} |", table.columns.join(" | "))?;
    writeln!(page, "|{}", " --- |".repeat(table.columns.len()))?;
    table.rows.iter().try_for_each(|row| writeln!(page, "| {} |", row.join(" | ")))
}
