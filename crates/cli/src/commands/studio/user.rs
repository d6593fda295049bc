//! Who may use the studio.

use std::{path::PathBuf, process::ExitCode};

use annotate::studio::hash_password;
use anyhow::bail;
use clap::{Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser as _};
use serde::Serialize;
use store::Role;

use super::{
    password,
    place::{self, Place},
};
use crate::output;

/// Add, list and remove the people of a studio
#[derive(Args)]
#[command(after_help = HELP, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

const HELP: &str = "\
Passwords are asked on the terminal, or read from a file; they are no arguments, which others can read.

Examples:
  nomen studio user add ann --role owner
  nomen studio user add ben --role annotator --password-file ben.txt
  nomen studio user list
  nomen studio user remove ben";

#[derive(Subcommand)]
enum Action {
    /// Make an account, or give somebody another role or password
    Add(Add),
    /// Everybody who has a part in the project
    List(List),
    /// Take somebody's part in the project away; what they annotated stays
    Remove(Remove),
}

#[derive(Args)]
struct Add {
    /// Name to log in with
    #[arg(value_name = "NAME")]
    name: String,
    /// What they may do: annotator, reviewer or owner
    #[arg(long, value_parser = role())]
    role: Role,
    /// File with the password in its first line; - for standard input [default: asked on the terminal]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Remove {
    /// Name of the account
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Person {
    name: String,
    role: &'static str,
    logs_in: bool,
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str())).try_map(|word| word.parse::<Role>())
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::Add(arguments) => add(arguments)?,
        Action::List(arguments) => list(arguments)?,
        Action::Remove(arguments) => remove(arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(arguments: &Add) -> anyhow::Result<()> {
    let Add { name, role, password_file, place } = arguments;
    let password = password::read(name, password_file.as_deref())?;
    let hash = hash_password(&password)?;
    place::runtime()?.block_on(async {
        let opened = place.open().await?;
        let user = match opened.store.user_by_name(name).await? {
            Some(user) => {
                opened.store.set_password(user.id, Some(&hash)).await?;
                user
            }
            None => opened.store.create_user(name, Some(&hash)).await?,
        };
        opened.store.set_role(opened.project.id, user.id, Some(*role)).await?;
        output::print(&format!("{name} is {role} of {}\n", opened.project.name))?;
        opened.store.close().await;
        Ok(())
    })
}

fn list(arguments: &List) -> anyhow::Result<()> {
    let people: Vec<Person> = place::runtime()?.block_on(async {
        let opened = arguments.place.open().await?;
        let members = opened.store.members(opened.project.id).await?;
        let person = |member: store::Member| Person {
            logs_in: member.user.password.is_some(),
            name: member.user.name,
            role: member.role.as_str(),
        };
        anyhow::Ok(members.into_iter().map(person).collect())
    })?;
    if arguments.json {
        return output::print_json(&people);
    }
    for person in people {
        let password = if person.logs_in { "" } else { "  (without a password)" };
        output::print(&format!("{}  {}{password}\n", person.name, person.role))?;
    }
    Ok(())
}

fn remove(arguments: &Remove) -> anyhow::Result<()> {
    place::runtime()?.block_on(async {
        let opened = arguments.place.open().await?;
        let Some(user) = opened.store.user_by_name(&arguments.name).await? else {
            bail!("there is no user `{}`; `nomen studio user list` shows all", arguments.name);
        };
        opened.store.set_role(opened.project.id, user.id, None).await?;
        output::print(&format!("{} has no part in {} any more\n", arguments.name, opened.project.name))?;
        Ok(())
    })
}
