return {name = 'folder/init'}
