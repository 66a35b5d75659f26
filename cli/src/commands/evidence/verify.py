#!/usr/bin/env python3
"""Checks the folder of evidence that it lies in: plain Python 3.8 or newer, no network, no Annals.
`python3 verify.py` takes the key in public-key.txt, `python3 verify.py NAME+ID+KEY` one that you know from elsewhere.
README.html is for people and proves nothing; what is printed here of the records was checked. Whoever could change
the evidence could change this script, too: take one from a copy of Annals that you trust."""
import base64, datetime, hashlib, json, os, sys
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, I, B = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P), (4 * pow(5, -1, P) % P).to_bytes(32, "little")
HEAD, OPS = ("seq", "recorded_at", "recorded_by", "op", "timeline", "salt"), ["append", "revise", "retract", "redact"]
FILES = {"README.html", "attachments.jsonl", "checkpoint.txt", "events.jsonl", "proofs.json", "verify.py"}
HERE, wrong = os.path.dirname(os.path.abspath(__file__)), []
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def dump(value): return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
def load(text): return json.loads(text, parse_int=lambda n: int(n) if len(n) < 20 else n, parse_float=str)
def plain(text): return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
def here(name): return open(os.path.join(HERE, name), "rb").read()
def require(holds, what):
    if not holds: raise ValueError(what)
def step(name, check, *given):
    try: return check(*given)
    except Exception as e: wrong.append(f"{name}: {e if type(e) is ValueError else repr(e)}")
def unhex(digits): return require(bytes.fromhex(digits).hex() == digits, "not hexadecimal") or bytes.fromhex(digits)
def add(p, q):  # points of edwards25519: RFC 8032, section 5.1
    (a, b), (c, d), k = p, q, D * p[0] * p[1] * q[0] * q[1]
    return (a * d + b * c) * pow(1 + k, -1, P) % P, (b * d + a * c) * pow(1 - k, -1, P) % P
def times(n, p): return (0, 1) if n == 0 else add(times(n - 1, p), p) if n & 1 else times(n >> 1, add(p, p))
def point(data):
    y, odd = int.from_bytes(data, "little") & ~(1 << 255), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * I % P
    require(y < P and x * x % P == square and (x or not odd), "not a point of the curve")
    return x if x & 1 == odd else P - x, y
def is_signed(key, text, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % L
    return len(signature) == 64 and s < L and times(s, point(B)) == add(point(r), times(h, point(key)))
def signed(given, text, lines):  # C2SP signed-note
    name, number, key = given.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    require(len(key) == 33 and sha(name.encode(), b"\n", key)[:4].hex() == number, "that is not a public key")
    stored = [base64.b64decode(by[2], validate=True) for by in (line.split(" ") for line in lines) if by[1:2] == [name]]
    found = [signature[4:] for signature in stored if signature[:4].hex() == number]
    require(found, f"there is none of {name}+{number}")
    require(key[0] == 1 and all(is_signed(key[1:], text, s) for s in found), f"that of {name}+{number} is not right")
    return f"{name}+{number}"
def leaf(line, record):  # the leaf of a record, as FORMAT.md of Annals has it
    head, op, erased = {k: record[k] for k in HEAD if k in record}, OPS.index(record["op"]), record.get("redacted") is True
    if erased or op > 1:  # such a line has these fields and nothing else; those of an event are bound as text
        fields = {*HEAD[:5], "id"} | ({"redacted", "commitment"} if erased else {"salt", "reason"})
        require(dump(record) == line and {*record} == fields, "the line is not as a log writes it")
    require(erased or line.startswith(dump(head)[:-1] + ","), "the line is not as a log writes it")
    content = "{" + line[len(dump(head)):] if op < 2 else dump({"reason": record.get("reason")})
    bound = sha(b"annals-commitment-1\0", b"" if erased else unhex(record["salt"]), content.encode())
    at = datetime.datetime.fromisoformat(record["recorded_at"][:-1])
    require(at.isoformat(timespec="microseconds") + "Z" == record["recorded_at"], "not a record time")
    micros = (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
    names = [len(record[k].encode()).to_bytes(4, "big") + record[k].encode() for k in ("timeline", "id", "recorded_by")]
    numbers = bytes([0, 1, op + 1, 1]) + record["seq"].to_bytes(8, "big") + micros.to_bytes(8, "big", signed=True)
    return sha(numbers, *names, unhex(record["commitment"]) if erased else bound)
def climb(leaf, index, size, path):  # RFC 6962, section 2.1.1, from the root down
    require(0 <= index < size and (size > 1) == bool(path), "the path is not of a tree of this size")
    if size == 1: return leaf
    half, rest, sibling = 1 << (size - 1).bit_length() - 1, path[:-1], unhex(path[-1])
    if index < half: return sha(b"\1", climb(leaf, index, half, rest), sibling)
    return sha(b"\1", sibling, climb(leaf, index - half, size - half, rest))
def included(line, way, size, root):
    record, index = load(line), way["leaf_index"]
    require(record["seq"] == index + 1, "it is not where it is said to be")
    require(climb(leaf(line, record), index, size, way["path"]) == root, "the path leads to another root")
    told = "record {seq} of {recorded_at} by {recorded_by}: {op} {timeline}/{id}".format(**record)
    print(plain(f"{told}: {record.get('date', 'undated')}, {record['title']}" if "title" in record else told))
    return record
def main(keys):
    sums = dict(line.split("  ", 1)[::-1] for line in here("SHA256SUMS").decode().splitlines())
    for name in sorted(FILES | {*sums}):
        step(name, lambda: require(sha(here(name)).hex() == sums.get(name), "it is not as it was written"))
    proofs, lines = load(here("proofs.json")), here("events.jsonl").decode().split("\n")
    size, root, ways = proofs["tree_size"], unhex(proofs["root"]), proofs["paths"]
    text, by = (here("checkpoint.txt").decode() + "\n\n").split("\n\n", 1)
    stated = text.split("\n")[1:3] == [str(size), base64.b64encode(root).decode()]
    step("checkpoint.txt", require, stated, "it states another root than proofs.json")
    step("proofs.json", require, 0 < len(ways) == len(lines) - 1, f"{len(ways)} proofs for {len(lines) - 1} records")
    records = [step(f"events.jsonl, line {n}", included, *pair, size, root) for n, pair in enumerate(zip(lines, ways), 1)]
    cited = [(s["sha256"], r["seq"], r["id"], s.get("title"), s.get("url"))
             for r in records if r for s in r.get("sources", []) if "sha256" in s]
    listed = "".join(dump(dict(zip(("sha256", "seq", "id", "title", "url"), file))) + "\n" for file in cited).encode()
    step("attachments.jsonl", require, listed == here("attachments.jsonl"), "it has other files than the records name")
    there = {"attachments/" + name for _, _, names in os.walk(os.path.join(HERE, "attachments")) for name in names}
    for name in sorted(there | {name for name in sums if "/" in name}):
        step(name, require, sums.get(name) == name[12:] in [file[0] for file in cited], "no record names such a file")
    for of, seq, *_ in cited: print(f"attachment {of} of record {seq}:", "here" if "attachments/" + of in there else "not here")
    keys = keys or ([here("public-key.txt").decode()] if "public-key.txt" in sums else [])
    signers = [step("signature", signed, key, (text + "\n").encode(), by.splitlines()) for key in keys]
    print(f"{len(ways)} records in the log of {size} with the root {root.hex()}")
    print("signed by", ", ".join(filter(None, signers)) or "nobody whose key is known here")
step("evidence", main, sys.argv[1:])
print("\n".join("WRONG: " + plain(what) for what in wrong) or "all of it holds")
sys.exit(bool(wrong))
