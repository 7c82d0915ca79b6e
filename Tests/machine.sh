# shellcheck shell=bash
# To be sourced: a machine of its own for a test, with what is installed here, in which all may be changed and which leaves nothing
# behind: an overlay over this system, in namespaces of its own. Needs root, and a kernel with overlayfs.

_machine='' _machine_first='' _machine_group=''

# make_machine: its files are below $machine from then on, and nothing runs in it.
make_machine() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "this test makes a machine of its own, which takes root: run it as root" >&2
        return 1
    fi
    _machine=$(mktemp -d)
    # Mounts are for this process and its children, and end with them.
    mount -t tmpfs -o mode=755 machine "$_machine"
    mkdir "$_machine"/{upper,work,root,groups}
    machine=$_machine/root
    mount -t overlay -o "lowerdir=/,upperdir=$_machine/upper,workdir=$_machine/work" machine "$machine"
    mount -t proc proc "$machine/proc"
    mount -o bind,ro "$machine/proc/sys" "$machine/proc/sys"
    mount -t sysfs -o ro sysfs "$machine/sys"
    mount -t tmpfs -o mode=755 dev "$machine/dev"
    local device
    for device in null zero full random urandom tty; do
        touch "$machine/dev/$device"
        mount --bind "/dev/$device" "$machine/dev/$device"
    done
    mkdir "$machine/dev/pts" "$machine/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$machine/dev/pts"
    ln -s pts/ptmx "$machine/dev/ptmx"
    ln -s /proc/self/fd "$machine/dev/fd"
    mount -t tmpfs -o mode=755 run "$machine/run"
    mount -t tmpfs -o mode=1777 tmp "$machine/tmp"
    # A container has a file of its own in the place of this one.
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$machine/etc/hosts"
    # It may start services, whatever this system may.
    rm -f "$machine/usr/sbin/policy-rc.d"
}

# boot_machine: systemd runs in it, with no more services than it needs for itself.
boot_machine() {
    printf '[Unit]\nDescription=Nothing\n' >"$machine/etc/systemd/system/machine.target"
    touch "$machine/dev/console"
    mount --bind /dev/null "$machine/dev/console"
    # A control group of its own, which systemd takes for that of a whole machine.
    mount -t cgroup2 groups "$_machine/groups"
    _machine_group=$_machine/groups/machine-$$
    mkdir "$_machine_group" "$machine/.old"
    cat >"$machine/.boot" <<'END'
mount -t tmpfs groups "$1/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 groups "$1/sys/fs/cgroup"
ip link set lo up
cd "$1"
pivot_root . .old
exec chroot . /bin/sh -c '
    umount -l /proc/sys /proc /.old
    mount -t proc proc /proc
    mount -o bind,ro /proc/sys /proc/sys
    exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=machine.target --log-target=console --log-level=warning'
END
    local own
    own=$(cat <"/proc/self/cgroup" | sed -n 's/^0:://p')
    echo "$BASHPID" >"$_machine_group/cgroup.procs"
    unshare --cgroup --net --uts --ipc --mount --pid --fork --kill-child sh "$machine/.boot" "$machine" \
        >"$_machine/log" 2>&1 </dev/null &
    _machine_first=$!
    echo "$BASHPID" >"$_machine/groups$own/cgroup.procs"
    local _
    for _ in $(seq 1 1500); do
        if in_machine systemctl is-active --quiet machine.target 2>/dev/null; then return 0; fi
        sleep 0.2
    done
    echo "systemd does not start in the machine:" >&2
    cat "$_machine/log" >&2
    return 1
}

# in_machine COMMAND…: runs it there.
in_machine() {
    if [ -z "$_machine_first" ]; then
        chroot "$machine" env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
        return
    fi
    local init
    init=$(pgrep -P "$_machine_first" | head -n 1)
    if [ -z "$init" ]; then return 1; fi
    nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wdns=/ \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

# drop_machine: all that runs in it ends, and it is gone.
drop_machine() {
    if [ -z "$_machine" ]; then return 0; fi
    if [ -n "$_machine_first" ]; then
        kill -KILL "$_machine_first" 2>/dev/null || true
        wait "$_machine_first" 2>/dev/null || true
    fi
    if [ -n "$_machine_group" ]; then
        local _
        for _ in $(seq 1 50); do
            find "$_machine_group" -depth -type d -exec rmdir {} + 2>/dev/null || true
            if [ ! -d "$_machine_group" ]; then break; fi
            sleep 0.1
        done
    fi
    umount -R -l "$_machine" 2>/dev/null || true
    rmdir "$_machine" 2>/dev/null || true
    _machine='' _machine_first='' _machine_group=''
}
