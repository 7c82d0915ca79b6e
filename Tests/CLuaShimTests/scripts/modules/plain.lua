return {name = 'plain'}
