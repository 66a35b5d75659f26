//! What a disk may still have after a power cut, as POSIX lets it.
//!
//! Of a file only what was synced is sure: each later write may be there, be missing, or be there in some of its
//! sectors, whatever became of the others. Of names only those are sure whose directory was synced; later changes of
//! names happen in their order, up to some point. `sync_file_range` makes nothing durable.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::trace::Call;

/// What is written whole or not at all.
const SECTOR: usize = 512;

/// Numbers that a seed decides.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap()
    }
}

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// All of it is gone.
    Lost,
    /// All of it is there.
    Kept,
    /// Some of it, as the dice fall.
    Mixed,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

#[derive(Clone, Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory,
}

#[derive(Clone, Debug)]
enum Naming {
    Set(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

type Names = BTreeMap<PathBuf, Node>;

/// The files below one directory.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
    inodes: Vec<Inode>,
    names: Names,
    durable: Names,
    pending: Vec<Naming>,
    open: HashMap<u32, (Option<usize>, PathBuf, u64, bool)>,
    is_deaf: bool,
}

impl Disk {
    /// An empty directory.
    pub fn new(root: PathBuf) -> Self {
        let names = Names::from([(root.clone(), Node::Directory)]);
        Self {
            root,
            inodes: Vec::new(),
            durable: names.clone(),
            names,
            pending: Vec::new(),
            open: HashMap::new(),
            is_deaf: false,
        }
    }

    /// The same, but nothing that is synced becomes durable.
    pub fn deaf(self) -> Self {
        Self { is_deaf: true, ..self }
    }

    /// Another process begins: it has no file open.
    pub fn process(&mut self) {
        self.open.clear();
    }

    /// What one call does.
    pub fn apply(&mut self, call: &Call) {
        match call {
            Call::Open { fd, path, truncates, creates, appends } if path.starts_with(&self.root) => {
                self.open_file(*fd, path, *truncates, *creates, *appends);
            }
            Call::Open { fd, .. } | Call::Close { fd } => drop(self.open.remove(fd)),
            Call::Write { fd, offset, bytes } => self.write(*fd, *offset, bytes),
            Call::Moved { fd, by } => {
                if let Some(file) = self.open.get_mut(fd) {
                    file.2 += by;
                }
            }
            Call::Seek { fd, to } => {
                if let Some(file) = self.open.get_mut(fd) {
                    file.2 = *to;
                }
            }
            Call::Truncate { fd, length } => {
                if let Some((Some(inode), ..)) = self.open.get(fd) {
                    let length = usize::try_from(*length).unwrap();
                    self.inodes[*inode].pending.push(Change::Truncate { length });
                }
            }
            Call::Sync { fd } => self.sync(*fd),
            Call::Rename { from, to } if to.starts_with(&self.root) => {
                self.name(Naming::Rename(from.clone(), to.clone()));
            }
            Call::Remove { path } if path.starts_with(&self.root) => self.name(Naming::Remove(path.clone())),
            Call::MakeDirectory { path } if path.starts_with(&self.root) => {
                self.name(Naming::Set(path.clone(), Node::Directory));
            }
            Call::Rename { .. } | Call::Remove { .. } | Call::MakeDirectory { .. } | Call::Told { .. } => {}
        }
    }

    fn open_file(&mut self, fd: u32, path: &Path, truncates: bool, creates: bool, appends: bool) {
        let inode = match self.names.get(path) {
            Some(Node::File(inode)) => Some(*inode),
            Some(Node::Directory) => None,
            None if creates => {
                self.inodes.push(Inode::default());
                let inode = self.inodes.len() - 1;
                self.name(Naming::Set(path.to_owned(), Node::File(inode)));
                Some(inode)
            }
            None => panic!("{} was opened and never made", path.display()),
        };
        if let (Some(inode), true) = (inode, truncates) {
            self.inodes[inode].pending.push(Change::Truncate { length: 0 });
        }
        self.open.insert(fd, (inode, path.to_owned(), 0, appends));
    }

    fn write(&mut self, fd: u32, offset: Option<u64>, bytes: &[u8]) {
        let Some((Some(inode), _, stands, appends)) = self.open.get_mut(&fd) else { return };
        let end = || content(&self.inodes[*inode], Fate::Kept, &mut Dice(0)).len() as u64;
        let at = offset.unwrap_or_else(|| if *appends { end() } else { *stands });
        if offset.is_none() {
            *stands = at + bytes.len() as u64;
        }
        let change = Change::Write { offset: usize::try_from(at).unwrap(), bytes: bytes.to_vec() };
        self.inodes[*inode].pending.push(change);
    }

    fn sync(&mut self, fd: u32) {
        let Some((inode, path, ..)) = self.open.get(&fd).filter(|_| !self.is_deaf) else { return };
        if let Some(inode) = inode {
            let inode = &mut self.inodes[*inode];
            inode.durable = content(inode, Fate::Kept, &mut Dice(0));
            inode.pending.clear();
            return;
        }
        let directory = path.clone();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|naming| naming.paths().iter().any(|path| path.parent() == Some(&directory)));
        self.pending = later;
        for naming in &due {
            naming.apply(&mut self.durable);
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.pending.push(naming);
    }

    /// Writes what a disk may have after a cut at this moment to another directory.
    pub fn cut(&self, fate: Fate, dice: &mut Dice, to: &Path) {
        let mut names = self.durable.clone();
        let happened = match fate {
            Fate::Lost => 0,
            Fate::Kept => self.pending.len(),
            Fate::Mixed => dice.below(self.pending.len() + 1),
        };
        self.pending[..happened].iter().for_each(|naming| naming.apply(&mut names));
        for (path, node) in &names {
            let path = to.join(path.strip_prefix(&self.root).unwrap());
            match node {
                Node::Directory => std::fs::create_dir_all(path).unwrap(),
                // The directory of a file may have been lost, and the file with it.
                Node::File(_) if !path.parent().unwrap().is_dir() => {}
                Node::File(inode) => std::fs::write(path, content(&self.inodes[*inode], fate, dice)).unwrap(),
            }
        }
    }
}

/// What is left of a file.
fn content(inode: &Inode, fate: Fate, dice: &mut Dice) -> Vec<u8> {
    let mut content = inode.durable.clone();
    for change in &inode.pending {
        let luck = match fate {
            Fate::Lost => 0,
            Fate::Kept => 3,
            Fate::Mixed => dice.below(4),
        };
        match change {
            _ if luck == 0 => {}
            Change::Truncate { length } => content.resize(*length, 0),
            Change::Write { offset, bytes } => {
                let end = content.len().max(offset + bytes.len());
                content.resize(end, 0);
                let mut at = *offset;
                while at < offset + bytes.len() {
                    let next = ((at / SECTOR + 1) * SECTOR).min(offset + bytes.len());
                    if luck > 1 || dice.below(2) == 0 {
                        content[at..next].copy_from_slice(&bytes[at - offset..next - offset]);
                    }
                    at = next;
                }
            }
        }
    }
    content
}

impl Naming {
    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Set(path, _) | Self::Remove(path) => vec![path],
            Self::Rename(from, to) => vec![from, to],
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Set(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Rename(from, to) => {
                let moved: Vec<_> = names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    let node = names.remove(&path).unwrap();
                    let rest = path.strip_prefix(from).unwrap();
                    let target = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                    names.insert(target, node);
                }
            }
        }
    }
}
