//! What a disk may still have after a power cut, as POSIX lets it.
//!
//! Of a file only what was synced is sure: each later write may be there, be missing, or be there in some of its
//! sectors, whatever became of the others. Of names only those are sure whose directory was synced; later changes of
//! names happen in their order, up to some point; a directory keeps what is in it wherever it is moved to. `sync_file_range` makes nothing durable.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
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

impl Inode {
    /// All that was written is durable.
    fn settle(&mut self) {
        if !self.pending.is_empty() {
            self.durable = content(self, Fate::Kept, &mut Dice(0));
            self.pending.clear();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory(usize),
}

/// A place for a name: a directory, which keeps its number wherever it is moved to, and the name in it.
type Place = (usize, OsString);

#[derive(Clone, Debug)]
enum Naming {
    Set(Place, Node),
    Remove(Place),
    Rename(Place, Place, Node),
}

/// The names in each directory, by its number; that of the root is 0.
type Names = Vec<BTreeMap<OsString, Node>>;

/// What a descriptor stands for, where in its file it stands, and whether it only appends.
#[derive(Clone, Copy, Debug)]
struct Open {
    node: Node,
    stands: u64,
    appends: bool,
}

/// The files below one directory.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
    inodes: Vec<Inode>,
    names: Names,
    durable: Names,
    pending: Vec<Naming>,
    open: HashMap<u32, Open>,
    is_deaf: bool,
}

impl Disk {
    /// An empty directory.
    pub fn new(root: PathBuf) -> Self {
        let names = vec![BTreeMap::new()];
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

    /// Time passes, in which the system brings to the disk what nobody has synced.
    pub fn rest(&mut self) {
        if self.is_deaf {
            return;
        }
        for inode in &mut self.inodes {
            inode.settle();
        }
        self.durable.clone_from(&self.names);
        self.pending.clear();
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
                    file.stands += by;
                }
            }
            Call::Seek { fd, to } => {
                if let Some(file) = self.open.get_mut(fd) {
                    file.stands = *to;
                }
            }
            Call::Truncate { fd, length } => {
                if let Some(Open { node: Node::File(inode), .. }) = self.open.get(fd) {
                    let length = usize::try_from(*length).unwrap();
                    self.inodes[*inode].pending.push(Change::Truncate { length });
                }
            }
            Call::Sync { fd } => self.sync(*fd),
            Call::Rename { from, to } if to.starts_with(&self.root) => {
                let node = self.node(from).unwrap();
                self.name(Naming::Rename(self.place(from), self.place(to), node));
            }
            Call::Remove { path } if path.starts_with(&self.root) => {
                self.name(Naming::Remove(self.place(path)));
            }
            Call::MakeDirectory { path } if path.starts_with(&self.root) => {
                let number = self.names.len();
                self.names.push(BTreeMap::new());
                self.durable.push(BTreeMap::new());
                self.name(Naming::Set(self.place(path), Node::Directory(number)));
            }
            Call::Rename { .. } | Call::Remove { .. } | Call::MakeDirectory { .. } | Call::Told { .. } => {}
        }
    }

    /// The directory that a path stands in, as the names are now, and its name there.
    fn place(&self, path: &Path) -> Place {
        let Some(Node::Directory(directory)) = self.node(path.parent().unwrap()) else {
            panic!("{} is in no directory", path.display())
        };
        (directory, path.file_name().unwrap().to_owned())
    }

    fn node(&self, path: &Path) -> Option<Node> {
        let mut node = Node::Directory(0);
        for name in path.strip_prefix(&self.root).unwrap() {
            let Node::Directory(number) = node else { return None };
            node = *self.names[number].get(name)?;
        }
        Some(node)
    }

    fn open_file(&mut self, fd: u32, path: &Path, truncates: bool, creates: bool, appends: bool) {
        let node = match self.node(path) {
            Some(node) => node,
            None if creates => {
                self.inodes.push(Inode::default());
                let node = Node::File(self.inodes.len() - 1);
                self.name(Naming::Set(self.place(path), node));
                node
            }
            None => panic!("{} was opened and never made", path.display()),
        };
        if let (Node::File(inode), true) = (node, truncates) {
            self.inodes[inode].pending.push(Change::Truncate { length: 0 });
        }
        self.open.insert(fd, Open { node, stands: 0, appends });
    }

    fn write(&mut self, fd: u32, offset: Option<u64>, bytes: &[u8]) {
        let Some(Open { node: Node::File(inode), stands, appends }) = self.open.get_mut(&fd) else {
            return;
        };
        let end = || content(&self.inodes[*inode], Fate::Kept, &mut Dice(0)).len() as u64;
        let at = offset.unwrap_or_else(|| if *appends { end() } else { *stands });
        if offset.is_none() {
            *stands = at + bytes.len() as u64;
        }
        let change = Change::Write { offset: usize::try_from(at).unwrap(), bytes: bytes.to_vec() };
        self.inodes[*inode].pending.push(change);
    }

    fn sync(&mut self, fd: u32) {
        let Some(node) = self.open.get(&fd).filter(|_| !self.is_deaf).map(|open| open.node) else {
            return;
        };
        match node {
            Node::File(inode) => self.inodes[inode].settle(),
            Node::Directory(number) => {
                let (due, later): (Vec<_>, Vec<_>) =
                    std::mem::take(&mut self.pending).into_iter().partition(|naming| naming.touches(number));
                self.pending = later;
                for naming in &due {
                    naming.apply(&mut self.durable);
                }
            }
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
        self.put(&names, 0, fate, dice, to);
    }

    /// Writes what a directory has to another one.
    fn put(&self, names: &Names, directory: usize, fate: Fate, dice: &mut Dice, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for (name, node) in &names[directory] {
            match node {
                Node::Directory(number) => self.put(names, *number, fate, dice, &to.join(name)),
                Node::File(inode) => {
                    std::fs::write(to.join(name), content(&self.inodes[*inode], fate, dice)).unwrap();
                }
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
    fn touches(&self, directory: usize) -> bool {
        match self {
            Self::Set(place, _) | Self::Remove(place) => place.0 == directory,
            Self::Rename(from, to, _) => from.0 == directory || to.0 == directory,
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Set((directory, name), node) => drop(names[*directory].insert(name.clone(), *node)),
            Self::Remove((directory, name)) => drop(names[*directory].remove(name)),
            Self::Rename((old, from), (new, to), node) => {
                names[*old].remove(from);
                names[*new].insert(to.clone(), *node);
            }
        }
    }
}
