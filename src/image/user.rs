//! Who a container runs as: an image's `USER`, looked up in its own `/etc/passwd` and `/etc/group`
//! as container runtimes do it.

/// The largest number of a user or a group that runtimes take.
const LARGEST: u32 = i32::MAX as u32;

/// A user as the kernel knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
    /// Its home, `/` where nobody says.
    pub home: String,
}

impl Identity {
    /// Looks up `user` as an image's config has it: nothing, `app`, `1000`, `app:web`, `1000:1000`.
    ///
    /// A number is never a name, even where the files have an entry of that name. One that they do
    /// not know is taken as it is, with group 0; without a group of its own, a user that the files
    /// know gets the groups that name it.
    ///
    /// # Errors
    /// When a name is in neither file; the error is a fragment.
    pub fn resolve(user: &str, passwd: &str, group: &str) -> Result<Self, String> {
        let (name, group_name) = user.trim().split_once(':').unwrap_or((user.trim(), ""));
        let number = if name.is_empty() {
            Some(0)
        } else {
            number(name)
        };
        let known = passwd
            .lines()
            .filter_map(Account::parse)
            .find(|account| match number {
                Some(uid) => account.uid == uid,
                None => account.name == name,
            });
        let mut found = match (&known, number) {
            (Some(account), _) => Self {
                uid: account.uid,
                gid: account.gid,
                groups: Vec::new(),
                home: account.home.to_owned(),
            },
            (None, Some(uid)) => Self {
                uid,
                ..Self::default()
            },
            (None, None) => {
                return Err(format!("the image's `/etc/passwd` has no user `{name}`"));
            }
        };
        if found.home.is_empty() {
            found.home = String::from("/");
        }
        if !group_name.is_empty() {
            found.gid = group_number(group_name, group)?;
        } else if let Some(account) = known {
            let groups = group.lines().filter_map(Group::parse);
            found.groups = groups
                .filter(|group| group.members.split(',').any(|name| name == account.name))
                .map(|group| group.gid)
                .collect();
        }
        Ok(found)
    }
}

fn number(text: &str) -> Option<u32> {
    // With a sign, as runtimes read it: `-0` is 0.
    let number: i64 = text.parse().ok()?;
    u32::try_from(number)
        .ok()
        .filter(|number| *number <= LARGEST)
}

fn group_number(name: &str, file: &str) -> Result<u32, String> {
    let wanted = number(name);
    file.lines()
        .filter_map(Group::parse)
        .find(|group| match wanted {
            Some(gid) => group.gid == gid,
            None => group.name == name,
        })
        .map(|group| group.gid)
        .or(wanted)
        .ok_or_else(|| format!("the image's `/etc/group` has no group `{name}`"))
}

/// A line of `/etc/passwd`: `name:password:uid:gid:comment:home:shell`.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Account<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = number(fields.nth(1)?)?;
        let gid = number(fields.next()?)?;
        let home = fields.nth(1).unwrap_or_default();
        Some(Self {
            name,
            uid,
            gid,
            home,
        })
    }
}

/// A line of `/etc/group`: `name:password:gid:members`.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = number(fields.nth(1)?)?;
        Some(Self {
            name,
            gid,
            members: fields.next().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken:x:y\n\
                          app:x:1234:2345:An app:/home/app:/bin/sh\nbare:x:7:8::\n";
    const GROUP: &str = "root:x:0:\nweb:x:77:app,www\nlog:x:78:www\nown:x:2345:app\n";

    fn show(user: &str) -> String {
        match Identity::resolve(user, PASSWD, GROUP) {
            Ok(Identity {
                uid,
                gid,
                groups,
                home,
            }) => format!("{uid} {gid} {groups:?} {home}"),
            Err(error) => error,
        }
    }

    #[test]
    fn names_and_numbers_are_looked_up_as_a_runtime_does() {
        assert_eq!(show(""), "0 0 [] /root");
        assert_eq!(show("root"), "0 0 [] /root");
        assert_eq!(show("app"), "1234 2345 [77, 2345] /home/app");
        assert_eq!(show("1234"), "1234 2345 [77, 2345] /home/app");
        assert_eq!(show("bare"), "7 8 [] /");
    }

    #[test]
    fn a_number_is_no_name() {
        let passwd = "1000:x:0:0::/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n";
        let group = "2000:x:55:\nweb:x:66:1000\nown:x:67:app\n";
        let of = |user: &str| Identity::resolve(user, passwd, group).unwrap();
        let known = of("1000");
        assert_eq!((known.uid, known.gid), (1000, 1000));
        assert_eq!((known.groups, known.home.as_str()), (vec![67], "/app"));
        let unknown = Identity::resolve("1000", "1000:x:0:0::/root:/bin/sh\n", "").unwrap();
        assert_eq!((unknown.uid, unknown.home.as_str()), (1000, "/"));
        assert_eq!(of("1000:2000").gid, 2000);
    }

    #[test]
    fn a_group_of_its_own_leaves_the_others_aside() {
        assert_eq!(show("app:log"), "1234 78 [] /home/app");
        assert_eq!(show("app:5"), "1234 5 [] /home/app");
        assert_eq!(show(":web"), "0 77 [] /root");
    }

    #[test]
    fn a_number_needs_no_file_and_a_name_does() {
        assert_eq!(show("65532"), "65532 0 [] /");
        assert_eq!(show("65532:65532"), "65532 65532 [] /");
        assert_eq!(Identity::resolve("-0", "", "").unwrap().uid, 0);
        assert!(Identity::resolve("-5", "", "").is_err());
        let bare = Identity::resolve("65532", "", "").unwrap();
        assert_eq!((bare.uid, bare.home.as_str()), (65532, "/"));
        assert_eq!(show("www"), "the image's `/etc/passwd` has no user `www`");
        assert_eq!(show("app:no"), "the image's `/etc/group` has no group `no`");
        assert_eq!(
            show("4294967295"),
            "the image's `/etc/passwd` has no user `4294967295`"
        );
    }

    proptest! {
        #[test]
        fn no_file_is_too_strange(user in ".{0,12}", passwd in "(.|\n){0,80}", group in "(.|\n){0,80}") {
            let _ = Identity::resolve(&user, &passwd, &group);
        }
    }
}
