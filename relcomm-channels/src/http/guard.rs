//! Where a call may go: to public addresses, and to what the deployment allows.
//!
//! Both the host of the URL and every address that a name resolves to are checked, since a literal address never meets the
//! resolver. What is public is read from the IANA special-purpose registries (RFC 6890), with the metadata addresses of cloud
//! providers beside them.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use url::{Host, Url};

/// One entry of the allow-list: a host name `hooks.internal`, a network `10.1.0.0/16`, an address `10.1.2.3`, or a host or address
/// with its port `localhost:8080`, `[::1]:8080`.
///
/// A name stands for whatever it resolves to. A host with a port is matched against the URL only, never against what another name
/// resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed(Entry);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Net(IpAddr, u8),
    Host(Host, Option<u16>),
}

/// A text that is no entry of an allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an allow-list holds host names, networks such as `10.1.0.0/16`, addresses, or host:port")]
pub struct BadAllowed;

impl FromStr for Allowed {
    type Err = BadAllowed;

    fn from_str(text: &str) -> Result<Self, BadAllowed> {
        if let Some((net, length)) = text.split_once('/') {
            let net: IpAddr = net.parse().map_err(|_| BadAllowed)?;
            let length: u8 = length.parse().map_err(|_| BadAllowed)?;
            let longest = if net.is_ipv4() { 32 } else { 128 };
            return if length <= longest { Ok(Self(Entry::Net(net, length))) } else { Err(BadAllowed) };
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let length = if address.is_ipv4() { 32 } else { 128 };
            return Ok(Self(Entry::Net(address, length)));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port.parse().map_err(|_| BadAllowed)?)),
            _ => (text, None),
        };
        let host = Host::parse(host).map_err(|_| BadAllowed)?;
        // A pattern would be taken for a name that nothing bears.
        if matches!(&host, Host::Domain(name) if name.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)))
        {
            return Err(BadAllowed);
        }
        Ok(Self(Entry::Host(plain(host), port)))
    }
}

/// The host without the full stop of a rooted name.
fn plain(host: Host) -> Host {
    match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').map_or_else(|| name.clone(), str::to_owned)),
        address => address,
    }
}

impl Entry {
    fn holds(&self, address: IpAddr) -> bool {
        match self {
            Self::Net(IpAddr::V4(net), length) => match address {
                IpAddr::V4(a) => (net.to_bits() ^ a.to_bits()).checked_shr(32 - u32::from(*length)).unwrap_or(0) == 0,
                IpAddr::V6(_) => false,
            },
            Self::Net(IpAddr::V6(net), length) => match address {
                IpAddr::V6(a) => (net.to_bits() ^ a.to_bits()).checked_shr(128 - u32::from(*length)).unwrap_or(0) == 0,
                IpAddr::V4(_) => false,
            },
            Self::Host(..) => false,
        }
    }

    fn names(&self, host: &Host, at: Option<u16>) -> bool {
        matches!(self, Self::Host(h, port) if h == host && (port.is_none() || *port == at))
    }
}

/// Why a call may not go there. Nothing of the URL is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("only http and https are spoken")]
    Scheme,
    #[error("the URL names no host")]
    Host,
    #[error("the host is not a public address, and the allow-list does not hold it")]
    NotPublic,
}

/// Which kind of client may call a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// One that checks what the name resolves to.
    Checked,
    /// One that does not: the deployment named the host.
    Named,
}

/// The allow-list, and what is public without it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    allowed: Arc<[Allowed]>,
}

impl Guard {
    pub(crate) fn new(allowed: &[Allowed]) -> Self {
        Self { allowed: allowed.into() }
    }

    /// Checks the URL itself.
    pub(crate) fn check(&self, url: &Url) -> Result<Pass, Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme);
        }
        let host = plain(url.host().ok_or(Refused::Host)?.to_owned());
        if self.allowed.iter().any(|a| a.0.names(&host, url.port_or_known_default())) {
            return Ok(Pass::Named);
        }
        match host {
            Host::Ipv4(address) => self.check_address(address.into())?,
            Host::Ipv6(address) => self.check_address(address.into())?,
            Host::Domain(_) => {}
        }
        Ok(Pass::Checked)
    }

    pub(crate) fn check_address(&self, address: IpAddr) -> Result<(), Refused> {
        if is_public(address) || self.allowed.iter().any(|a| a.0.holds(address)) {
            Ok(())
        } else {
            Err(Refused::NotPublic)
        }
    }

    /// Resolves a name; one address that is not let through refuses the name.
    pub(crate) async fn resolve(&self, name: &str, pass: Pass) -> Result<Vec<SocketAddr>, ResolveError> {
        let found: Vec<SocketAddr> =
            tokio::net::lookup_host((name, 0)).await.map_err(|_| ResolveError::Unknown)?.collect();
        if found.is_empty() {
            return Err(ResolveError::Unknown);
        }
        if pass == Pass::Checked {
            for address in &found {
                self.check_address(address.ip())?;
            }
        }
        Ok(found)
    }
}

/// Why a name was not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("the name cannot be resolved")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The resolver of a client: the guard's, for one kind of pass.
pub(crate) struct GuardedResolver {
    pub(crate) guard: Guard,
    pub(crate) pass: Pass,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let pass = self.pass;
        Box::pin(async move {
            let found = guard.resolve(name.as_str(), pass).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for GuardedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedResolver").field("pass", &self.pass).finish_non_exhaustive()
    }
}

/// Whether the address is globally reachable unicast.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => !SPECIAL_V4.iter().any(|(net, length)| Entry::Net(IpAddr::V4(*net), *length).holds(a.into())),
        IpAddr::V6(a) => {
            let within = |net: Ipv6Addr, length| Entry::Net(IpAddr::V6(net), length).holds(a.into());
            // Only 2000::/3 is assigned for global unicast; loopback, mapped, compatible, NAT64, unique local, link-local and
            // multicast addresses all lie outside it.
            within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !SPECIAL_V6.iter().any(|(net, length)| within(Ipv6Addr::from_bits(*net), *length))
        }
    }
}

/// IPv4 networks that are not public (RFC 6890 and its registry), and one metadata address that pretends to be.
const SPECIAL_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared address space, RFC 6598; holds the metadata address 100.100.100.200.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local; holds the metadata address 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // The virtual public address of Azure's platform services.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// Parts of 2000::/3 that are not public or that carry an IPv4 address inside: IETF protocol assignments (Teredo among them),
/// documentation twice, 6to4.
const SPECIAL_V6: [(u128, u8); 4] =
    [(0x2001_0000 << 96, 23), (0x2001_0db8 << 96, 32), (0x3fff_0000 << 96, 20), (0x2002_0000 << 96, 16)];
