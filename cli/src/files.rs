//! Files beside the store: written whole or not at all, and read up to a size that their kind may have.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::note::{SigningKey, VerifierKey};
use annals_core::proof::{Refusal, Step};
use annals_model::Invalid;
use tempfile::NamedTempFile;

use crate::error::{CliError, CliResult};

/// Bytes that a key, a checkpoint or a token may have.
const SMALL: u64 = 1 << 20;

/// Puts a file in its place when all of it is there; others may read it.
pub fn replace(path: &Path, content: &[u8]) -> CliResult<()> {
    let write = || -> io::Result<()> {
        let mut file = NamedTempFile::new_in(directory(path))?;
        file.write_all(content)?;
        set_mode(file.as_file(), 0o644)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|e| cannot("write", path, &e))
}

/// The file that was named for the output; `-` is standard output, as no name is.
pub fn output(named: Option<&Path>) -> Option<&Path> {
    named.filter(|path| *path != Path::new("-"))
}

/// The directory that a file is in.
pub fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Who may read what is written, where the system knows that.
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    let _ = (file, mode);
    Ok(())
}

/// The error of a file that cannot be used.
pub fn cannot(what: &str, path: &Path, error: &io::Error) -> CliError {
    CliError::system(error).because_of(format!("cannot {what} {}", path.display()))
}

/// Where the token of a time-stamping authority is kept: beside its checkpoint.
pub fn token_of(checkpoint: &Path) -> PathBuf {
    let mut name = checkpoint.as_os_str().to_owned();
    name.push(".tsr");
    name.into()
}

/// A path as text.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a file of at most so many bytes.
pub fn read(path: &Path, most: u64) -> CliResult<Vec<u8>> {
    let file = File::open(path).map_err(|e| cannot("read", path, &e))?;
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content).map_err(|e| cannot("read", path, &e))?;
    if content.len() as u64 > most {
        let too_long = format!("it has more than {most} bytes");
        return Err(CliError::failed(too_long).because_of(format!("cannot read {}", path.display())));
    }
    Ok(content)
}

/// Reads a checkpoint or another small file.
pub fn read_small(path: &Path) -> CliResult<Vec<u8>> {
    read(path, SMALL)
}

/// Reads a checkpoint.
pub fn checkpoint(path: &Path) -> CliResult<Checkpoint> {
    Checkpoint::parse(&read_small(path)?).map_err(|refusal| refused(&shown(path), &refusal))
}

/// The error of something that does not hold; what cannot even be read has failed, the rest is damage.
pub fn refused(what: &str, refusal: &Refusal) -> CliError {
    let cause =
        |error: fn(String) -> CliError, message: String| error(refusal.to_string()).because_of(message);
    match refusal.step {
        Step::Reading => cause(CliError::failed, format!("{what} cannot be read")),
        _ => cause(CliError::damaged, format!("{what} does not hold")),
    }
}

/// Makes a private key's file, which only its owner can read; never over another file.
pub fn write_key(path: &Path, key: &SigningKey) -> CliResult<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || -> io::Result<()> {
        let mut file = options.open(path)?;
        file.write_all(key.secret_text().as_bytes())?;
        file.sync_all()?;
        File::open(directory(path))?.sync_all()
    };
    write().map_err(|e| {
        let error = cannot("write", path, &e);
        if e.kind() == io::ErrorKind::AlreadyExists {
            return error.with_hint("a key is never overwritten: name another file");
        }
        error
    })
}

/// Reads a private key, if nobody else can.
pub fn signing_key(path: &Path) -> CliResult<SigningKey> {
    let text = String::from_utf8(read_small(path)?).unwrap_or_default();
    let key = SigningKey::parse(&text).map_err(|invalid| {
        let error = CliError::failed(invalid.to_string());
        let error = error.because_of(format!("{} is no private key", path.display()));
        invalid.hint().into_iter().fold(error, CliError::with_hint)
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            std::fs::metadata(path).map_err(|e| cannot("read", path, &e))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let open = format!("the private key {} can be read by others (mode {mode:04o})", path.display());
            return Err(CliError::failed(open).with_hint(format!("`chmod 600 {}`", path.display())));
        }
    }
    Ok(key)
}

/// A public key as it was given: itself, or the file that it is in.
pub fn public_key(given: &str) -> CliResult<VerifierKey> {
    let told = |invalid: Invalid| CliError::argument("--public-key", &invalid);
    match given.parse() {
        Ok(key) => Ok(key),
        Err(_) if Path::new(given).is_file() => {
            let text = String::from_utf8(read_small(Path::new(given))?).unwrap_or_default();
            text.parse().map_err(told)
        }
        Err(invalid) => Err(told(invalid)),
    }
}
